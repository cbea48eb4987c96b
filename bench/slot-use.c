/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Measures signatures with the keys of one token through several PKCS#11 modules, in turns of one
 * run: what counts are the ratios. Each turn is a process of its own. See --help.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/module.h"

#define MAXIMUM_MODULES 4
#define MAXIMUM_THREADS 2
#define WARM_UP		20

static struct {
	const char *pin, *label;
	double seconds;
	int rounds;
} options = {.seconds = 1, .rounds = 5};

struct module {
	const char *path;
	long server; /* process that does the work, or 0 */
};

/* What is measured. */
static const struct kind {
	const char *name;
	CK_KEY_TYPE type;
	CK_MECHANISM_TYPE mechanism;
	int threads;
} kinds[] = {{"RSA-1", CKK_RSA, CKM_RSA_PKCS, 1}, {"RSA-2", CKK_RSA, CKM_RSA_PKCS, 2},
	{"ECDSA-1", CKK_EC, CKM_ECDSA, 1}, {"ECDSA-2", CKK_EC, CKM_ECDSA, 2}};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* The best round of a module: signatures a second, and what one costs all processes. */
struct result {
	double rate, cpu_us;
};

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

struct worker {
	pthread_t thread;
	CK_FUNCTION_LIST *functions;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	CK_MECHANISM_TYPE mechanism;
	unsigned long first, done; /* numbers that are signed; how many */
	double start, end;
};

static void *work(void *argument)
{
	struct worker *worker = argument;

	for (worker->start = worker->end = now(); worker->end - worker->start < options.seconds;
		worker->end = now())
		must(module_sign(worker->functions, worker->session, worker->key, worker->mechanism,
			     worker->first + worker->done++),
			"signing");
	return NULL;
}

/* Signatures a second of all threads together. */
static double run(struct worker *workers, int count, unsigned long *done)
{
	double rate = 0;

	for (int i = 0; i < count; i++)
		must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) ? CKR_HOST_MEMORY
										 : CKR_OK,
			"making a thread");
	*done = 0;
	for (int i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		rate += (double)workers[i].done / (workers[i].end - workers[i].start);
		*done += workers[i].done;
	}
	return rate;
}

static void measure(const struct module *module, const struct kind *kind, struct result *result)
{
	CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
	CK_FUNCTION_LIST *functions = module_load(module->path);
	struct worker workers[MAXIMUM_THREADS] = {0};
	unsigned long done;

	must(functions->C_Initialize(&arguments), "C_Initialize");
	for (int i = 0; i < kind->threads; i++) {
		CK_SESSION_HANDLE session = module_open_session(functions, options.label, 0);
		if (i == 0)
			module_log_in(functions, session, options.pin);
		workers[i] = (struct worker){.functions = functions,
			.session = session,
			.key = module_find_key(functions, session, kind->type),
			.mechanism = kind->mechanism,
			.first = (unsigned long)i << 32};
		for (unsigned long n = 0; n < WARM_UP; n++)
			must(module_sign(functions, session, workers[i].key, kind->mechanism, ~n),
				"signing");
	}
	double cpu = own_cpu() + cpu_of(module->server);
	double rate = run(workers, kind->threads, &done);
	cpu = own_cpu() + cpu_of(module->server) - cpu;
	functions->C_Finalize(NULL);
	if (rate > result->rate)
		*result = (struct result){rate, cpu * 1e6 / (double)done};
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

static void report(const struct module *modules, int count, const struct result *results)
{
	for (int m = 0; m < count; m++) {
		const char *name = strrchr(modules[m].path, '/');
		for (size_t k = 0; k < KINDS; k++)
			printf("%s %s %.0f %.0f\n", name ? name + 1 : modules[m].path,
				kinds[k].name, results[(size_t)m * KINDS + k].rate,
				results[(size_t)m * KINDS + k].cpu_us);
	}
}

static const char usage[] =
	"Usage: slot-use --pin PIN --label TOKEN [--seconds N] [--rounds N] MODULE[=PROCESS]...\n"
	"Measures signatures with the first RSA and the first EC key of a token, in one thread and "
	"in\n"
	"two, module by module in each of some rounds; the best round counts. PROCESS is the "
	"number of\n"
	"a server that does the work: its processor time counts too. A line for each: module, "
	"what,\n"
	"signatures a second, microseconds of processor time for one.\n";

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
	for (; optind < argc && count < MAXIMUM_MODULES; optind++) {
		char *server = strchr(argv[optind], '=');
		modules[count].path = argv[optind];
		modules[count++].server = server ? atol(server + 1) : 0;
		if (server)
			*server = '\0';
	}
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
