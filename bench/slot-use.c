/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Measures signatures with the keys of one token through several PKCS#11 modules, in turns of one
 * run: what counts are the ratios. Each turn is a process of its own. See --help.
 */
#include <dlfcn.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define MAXIMUM_MODULES 4
#define MAXIMUM_SLOTS	64
#define WARM_UP		20

static struct {
	const char *pin, *label;
	double seconds;
	int rounds;
} options = {.seconds = 1, .rounds = 5};

struct module {
	const char *path;
	const char *label; /* of the token */
	long servers[2];   /* processes that do the work, or 0 */
};

/* What is measured. */
static const struct kind {
	const char *name;
	CK_KEY_TYPE type;
	CK_MECHANISM_TYPE mechanism;
} kinds[] = {{"RSA", CKK_RSA, CKM_RSA_PKCS}, {"ECDSA", CKK_EC, CKM_ECDSA}};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* The best round of a module: signatures a second, and what one costs all processes. */
struct result {
	double rate, cpu_us;
};

static void must(CK_RV rv, const char *what)
{
	if (rv == CKR_OK)
		return;
	fprintf(stderr, "slot-use: %s failed: 0x%lx\n", what, rv);
	_exit(EXIT_FAILURE);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Seconds of processor time that a process has had; 0 for none. */
static double cpu_of(long process)
{
	char path[64];
	unsigned long user = 0, kernel = 0;

	snprintf(path, sizeof(path), "/proc/%ld/stat", process);
	FILE *file = process ? fopen(path, "r") : NULL;
	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		    &kernel) != 2)
		user = kernel = 0;
	fclose(file);
	return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static double own_cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static CK_FUNCTION_LIST *load(const char *path)
{
	CK_FUNCTION_LIST *functions = NULL;
	CK_C_GetFunctionList get = NULL;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	*(void **)&get = handle ? dlsym(handle, "C_GetFunctionList") : NULL;
	if (!get || get(&functions) != CKR_OK) {
		fprintf(stderr, "slot-use: %s is no PKCS#11 module\n", path);
		_exit(EXIT_FAILURE);
	}
	must(functions->C_Initialize(NULL), "C_Initialize");
	return functions;
}

static double cpu_of_servers(const struct module *module)
{
	return cpu_of(module->servers[0]) + cpu_of(module->servers[1]);
}

static CK_SESSION_HANDLE open_session(CK_FUNCTION_LIST *functions, const char *label)
{
	CK_SLOT_ID slots[MAXIMUM_SLOTS];
	CK_ULONG count = MAXIMUM_SLOTS;
	CK_SESSION_HANDLE session = 0;
	CK_TOKEN_INFO info;
	size_t length = strlen(label);

	must(functions->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
	for (CK_ULONG i = 0; i < count && !session; i++) {
		if (functions->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
			memcmp(info.label, label, length) == 0 && info.label[length] == ' ')
			must(functions->C_OpenSession(
				     slots[i], CKF_SERIAL_SESSION, NULL, NULL, &session),
				"C_OpenSession");
	}
	must(session ? CKR_OK : CKR_TOKEN_NOT_PRESENT, "finding the token");
	must(functions->C_Login(
		     session, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)options.pin, strlen(options.pin)),
		"C_Login");
	return session;
}

static CK_OBJECT_HANDLE find_key(
	CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, CK_KEY_TYPE type)
{
	CK_OBJECT_CLASS private = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &private, sizeof(private)}, {CKA_KEY_TYPE, &type, sizeof(type)}};
	CK_OBJECT_HANDLE key;
	CK_ULONG count = 0;

	must(functions->C_FindObjectsInit(session, template, 2), "C_FindObjectsInit");
	must(functions->C_FindObjects(session, &key, 1, &count), "C_FindObjects");
	must(functions->C_FindObjectsFinal(session), "C_FindObjectsFinal");
	must(count ? CKR_OK : CKR_KEY_HANDLE_INVALID, "finding a key");
	return key;
}

static void sign(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
	CK_MECHANISM_TYPE type, unsigned long number)
{
	CK_MECHANISM mechanism = {type, NULL, 0};
	CK_BYTE digest[32] = {0}, signature[1024];
	CK_ULONG length = sizeof(signature);

	memcpy(digest, &number, sizeof(number)); /* no two are the same */
	must(functions->C_SignInit(session, &mechanism, key), "C_SignInit");
	must(functions->C_Sign(session, digest, sizeof(digest), signature, &length), "C_Sign");
}

static void measure(const struct module *module, const struct kind *kind, struct result *result)
{
	CK_FUNCTION_LIST *functions = load(module->path);
	CK_SESSION_HANDLE session = open_session(functions, module->label);
	CK_OBJECT_HANDLE key = find_key(functions, session, kind->type);
	unsigned long done = 0;

	for (unsigned long i = 0; i < WARM_UP; i++)
		sign(functions, session, key, kind->mechanism, ~i);
	double cpu = own_cpu() + cpu_of_servers(module), start = now(), end = start;
	for (; end - start < options.seconds; end = now())
		sign(functions, session, key, kind->mechanism, done++);
	cpu = own_cpu() + cpu_of_servers(module) - cpu;
	functions->C_Finalize(NULL);
	if ((double)done / (end - start) > result->rate)
		*result = (struct result){(double)done / (end - start), cpu * 1e6 / (double)done};
}

static void measure_apart(
	const struct module *module, const struct kind *kind, struct result *result)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		measure(module, kind, result);
		_exit(EXIT_SUCCESS);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
		exit(EXIT_FAILURE);
}

static void report(const struct module *modules, int count, const struct result results[KINDS])
{
	for (size_t k = 0; k < KINDS; k++) {
		printf("%s signatures\n", kinds[k].name);
		for (int m = 0; m < count; m++) {
			const struct result *one = &results[(size_t)m * KINDS + k];
			const char *name = strrchr(modules[m].path, '/');
			printf("  %-20s %-8s %8.0f /s  %5.2f of the first  %6.0f us of processor "
			       "time\n",
				name ? name + 1 : modules[m].path, modules[m].label, one->rate,
				one->rate / results[k].rate, one->cpu_us);
		}
	}
}

static const char usage[] =
	"Usage: slot-use --pin PIN --label TOKEN [--seconds N] [--rounds N]\n"
	"                MODULE[=PROCESS[,PROCESS]][@TOKEN]...\n"
	"Measures signatures with the first RSA and the first EC key of a token, module by module "
	"in\n"
	"each of some rounds; the best round counts. PROCESS is the number of a server that does "
	"the\n"
	"work: its processor time counts too. TOKEN is the label of another one than --label's.\n";

/* MODULE[=PROCESS[,PROCESS]][@TOKEN], which is cut in place. */
static struct module parse_module(char *text)
{
	struct module module = {.path = text};
	char *label = strchr(text, '@'), *server = strchr(text, '=');

	if (label)
		*label++ = '\0';
	if (server) {
		*server++ = '\0';
		module.servers[0] = strtol(server, &server, 10);
		module.servers[1] = *server == ',' ? atol(server + 1) : 0;
	}
	module.label = label ? label : options.label;
	return module;
}

static int parse(int argc, char **argv, struct module *modules)
{
	static const struct option known[] = {{"pin", required_argument, NULL, 'p'},
		{"label", required_argument, NULL, 'l'}, {"seconds", required_argument, NULL, 's'},
		{"rounds", required_argument, NULL, 'r'}, {0}};
	int option, count = 0;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'p')
			options.pin = optarg;
		else if (option == 'l')
			options.label = optarg;
		else if (option == 's')
			options.seconds = atof(optarg);
		else if (option == 'r')
			options.rounds = atoi(optarg);
		else
			return 0;
	}
	for (; optind < argc && count < MAXIMUM_MODULES; optind++)
		modules[count++] = parse_module(argv[optind]);
	return options.pin && options.label ? count : 0;
}

int main(int argc, char **argv)
{
	struct module modules[MAXIMUM_MODULES] = {0};
	int count = parse(argc, argv, modules);
	struct result *results = mmap(NULL, sizeof(*results) * MAXIMUM_MODULES * KINDS,
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (count == 0 || results == MAP_FAILED) {
		fputs(usage, stderr);
		return 2;
	}
	for (int round = 0; round < options.rounds; round++) {
		for (size_t i = 0; i < (size_t)count * KINDS; i++)
			measure_apart(&modules[i / KINDS], &kinds[i % KINDS], &results[i]);
	}
	report(modules, count, results);
	return EXIT_SUCCESS;
}
