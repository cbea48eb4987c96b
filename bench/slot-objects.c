/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Measures what programs pay before they use a key: listing a token's objects, finding one, and
 * starting. Each module in a process of its own. See --help.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/module.h"

#define MAXIMUM_OBJECTS 20000
#define HANDLES_AT_ONCE 100
#define STARTS		100

static struct {
	const char *pin, *label;
	unsigned make;
	int rounds;
} options = {.rounds = 9};

static CK_OBJECT_CLASS data_class = CKO_DATA;

static void name_of(unsigned number, char name[32])
{
	snprintf(name, 32, "object %u", number);
}

/* Data objects that need no login. */
static void make_objects(const char *path)
{
	CK_FUNCTION_LIST *functions = module_load(path);
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	char name[32], value[32] = "what a measurement reads";

	must(functions->C_Initialize(NULL), "C_Initialize");
	CK_SESSION_HANDLE session = module_open_session(functions, options.label, CKF_RW_SESSION);
	module_log_in(functions, session, options.pin);
	for (unsigned i = 0; i < options.make; i++) {
		CK_OBJECT_HANDLE object;
		name_of(i, name);
		CK_ATTRIBUTE template[] = {{CKA_CLASS, &data_class, sizeof(data_class)},
			{CKA_TOKEN, &yes, sizeof(yes)}, {CKA_PRIVATE, &no, sizeof(no)},
			{CKA_LABEL, name, strlen(name)}, {CKA_APPLICATION, value, 5},
			{CKA_VALUE, value, sizeof(value)}};
		must(functions->C_CreateObject(
			     session, template, sizeof(template) / sizeof(template[0]), &object),
			"C_CreateObject");
	}
	functions->C_Finalize(NULL);
}

static CK_ULONG find(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, CK_ATTRIBUTE *template,
	CK_ULONG length, CK_OBJECT_HANDLE *found)
{
	CK_ULONG count = 0, more;

	must(functions->C_FindObjectsInit(session, template, length), "C_FindObjectsInit");
	do {
		must(functions->C_FindObjects(session, found + count, HANDLES_AT_ONCE, &more),
			"C_FindObjects");
		count += more;
	} while (more > 0 && count < MAXIMUM_OBJECTS);
	must(functions->C_FindObjectsFinal(session), "C_FindObjectsFinal");
	return count;
}

/* All data objects, with three attributes of each. */
static CK_ULONG list(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session)
{
	static CK_OBJECT_HANDLE found[MAXIMUM_OBJECTS + HANDLES_AT_ONCE];
	CK_ATTRIBUTE wanted = {CKA_CLASS, &data_class, sizeof(data_class)};
	CK_ULONG count = find(functions, session, &wanted, 1, found);

	for (CK_ULONG i = 0; i < count; i++) {
		char label[64], application[64], value[64];
		CK_ATTRIBUTE attributes[] = {{CKA_LABEL, label, sizeof(label)},
			{CKA_APPLICATION, application, sizeof(application)},
			{CKA_VALUE, value, sizeof(value)}};
		must(functions->C_GetAttributeValue(session, found[i], attributes, 3),
			"C_GetAttributeValue");
	}
	return count;
}

static void find_one(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, unsigned number)
{
	CK_OBJECT_HANDLE found[HANDLES_AT_ONCE];
	char name[32];

	name_of(number, name);
	CK_ATTRIBUTE wanted = {CKA_LABEL, name, strlen(name)};
	must(find(functions, session, &wanted, 1, found) == 1 ? CKR_OK : CKR_FUNCTION_FAILED,
		"finding one by its label");
}

static long memory_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void report(const char *path, const char *what, double value)
{
	const char *name = strrchr(path, '/');

	printf("%s %s %.3f\n", name ? name + 1 : path, what, value);
	fflush(stdout);
}

static void measure_listing(const char *path)
{
	double *times = calloc((size_t)options.rounds, sizeof(*times));
	CK_FUNCTION_LIST *functions = module_load(path);

	must(functions->C_Initialize(NULL), "C_Initialize");
	CK_SESSION_HANDLE session = module_open_session(functions, options.label, 0);
	long memory = memory_kib();
	double start = now();
	CK_ULONG count = list(functions, session);
	report(path, "objects", (double)count);
	report(path, "first-listing-ms", (now() - start) * 1e3);
	report(path, "memory-KiB", (double)(memory_kib() - memory));
	for (int i = 0; i < options.rounds; i++) {
		start = now();
		list(functions, session);
		times[i] = (now() - start) * 1e3;
	}
	report(path, "listing-ms", quantile(times, (size_t)options.rounds, 0.5));
	for (int i = 0; i < options.rounds; i++) {
		start = now();
		find_one(functions, session, (unsigned)i * 7);
		times[i] = (now() - start) * 1e6;
	}
	report(path, "find-one-us", quantile(times, (size_t)options.rounds, 0.5));
	functions->C_Finalize(NULL);
	free(times);
}

/* What a new process pays, from loading the module to C_Finalize. */
static double start_once(const char *path)
{
	CK_OBJECT_CLASS private = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE wanted = {CKA_CLASS, &private, sizeof(private)};
	CK_OBJECT_HANDLE found[HANDLES_AT_ONCE + 1];
	CK_ULONG count;
	double start = now();
	CK_FUNCTION_LIST *functions = module_load(path);

	must(functions->C_Initialize(NULL), "C_Initialize");
	CK_SESSION_HANDLE session = module_open_session(functions, options.label, 0);
	must(functions->C_FindObjectsInit(session, &wanted, 1), "C_FindObjectsInit");
	must(functions->C_FindObjects(session, found, HANDLES_AT_ONCE, &count), "C_FindObjects");
	must(functions->C_FindObjectsFinal(session), "C_FindObjectsFinal");
	must(functions->C_CloseSession(session), "C_CloseSession");
	functions->C_Finalize(NULL);
	return (now() - start) * 1e3;
}

static void measure_start(const char *path)
{
	double times[STARTS];

	for (int i = 0; i < STARTS; i++) {
		int ends[2], status = 0;
		if (pipe(ends) != 0)
			exit(EXIT_FAILURE);
		pid_t child = fork();
		if (child == 0) {
			double time = start_once(path);
			_exit(write(ends[1], &time, sizeof(time)) == sizeof(time) ? EXIT_SUCCESS
										  : EXIT_FAILURE);
		}
		close(ends[1]);
		bool told = read(ends[0], &times[i], sizeof(times[i])) == sizeof(times[i]);
		close(ends[0]);
		if (waitpid(child, &status, 0) < 0 || status != 0 || !told)
			exit(EXIT_FAILURE);
	}
	report(path, "start-ms", quantile(times, STARTS, 0.5));
}

static void apart(void (*measure)(const char *path), const char *path)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		measure(path);
		_exit(EXIT_SUCCESS);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
		exit(EXIT_FAILURE);
}

static const char usage[] =
	"Usage: slot-objects --label TOKEN [--pin PIN --make N] [--start] MODULE...\n"
	"Lists the data objects of a token, the first time and again, and finds one by its label; "
	"with\n"
	"--start instead what a new process pays from loading the module to C_Finalize. --make "
	"makes N\n"
	"objects with the first module and ends. A line for each: module, what, value.\n";

int main(int argc, char **argv)
{
	static const struct option known[] = {{"pin", required_argument, NULL, 'p'},
		{"label", required_argument, NULL, 'l'}, {"make", required_argument, NULL, 'm'},
		{"start", no_argument, NULL, 's'}, {0}};
	bool start = false;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'p')
			options.pin = optarg;
		else if (option == 'l')
			options.label = optarg;
		else if (option == 'm')
			options.make = (unsigned)atoi(optarg);
		else if (option == 's')
			start = true;
	}
	if (!options.label || optind == argc || (options.make && !options.pin)) {
		fputs(usage, stderr);
		return 2;
	}
	if (options.make) {
		make_objects(argv[optind]);
		return EXIT_SUCCESS;
	}
	for (; optind < argc; optind++)
		apart(start ? measure_start : measure_listing, argv[optind]);
	return EXIT_SUCCESS;
}
