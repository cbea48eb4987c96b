/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many programs at once with one module: idle ones, or ones that sign. See --help. */
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/module.h"

#define MAXIMUM_PROGRAMS 2000
#define MAXIMUM_SAMPLES	 4000 /* of one program */

static struct {
	const char *pin, *label, *module;
	unsigned programs;
	double seconds;
	bool signs, elliptic;
} options = {.programs = 200, .seconds = 10};

/* Shared by all. */
static struct crowd {
	atomic_uint ready, failed;
	atomic_bool go;
	struct program {
		unsigned count;
		float times[MAXIMUM_SAMPLES]; /* ms */
	} programs[];
} * crowd;

static void wait_for_go(void)
{
	crowd->ready++;
	while (!crowd->go)
		usleep(10000);
}

static void sign_on(CK_FUNCTION_LIST *functions, struct program *program, unsigned number)
{
	CK_KEY_TYPE type = options.elliptic ? CKK_EC : CKK_RSA;
	CK_MECHANISM_TYPE mechanism = options.elliptic ? CKM_ECDSA : CKM_RSA_PKCS;
	CK_SESSION_HANDLE session = module_open_session(functions, options.label, 0);

	if (options.pin)
		module_log_in(functions, session, options.pin);
	CK_OBJECT_HANDLE key = module_find_key(functions, session, type);
	wait_for_go();
	double begin = now(), start = begin, end;
	for (unsigned long i = 0; start - begin < options.seconds; i++, start = end) {
		CK_RV rv = module_sign(
			functions, session, key, mechanism, (unsigned long)number << 32 | i);
		end = now();
		if (rv != CKR_OK) {
			fprintf(stderr, "program %u: 0x%lx\n", number, rv);
			crowd->failed++;
			return;
		}
		if (program->count < MAXIMUM_SAMPLES)
			program->times[program->count++] = (float)((end - start) * 1e3);
	}
}

static void run_program(CK_FUNCTION_LIST *functions, unsigned number)
{
	CK_ULONG count;

	must(functions->C_Initialize(NULL), "C_Initialize");
	if (options.signs) {
		sign_on(functions, &crowd->programs[number], number);
	} else {
		must(functions->C_GetSlotList(CK_TRUE, NULL, &count), "C_GetSlotList");
		crowd->ready++;
		pause();
	}
	functions->C_Finalize(NULL);
	_exit(EXIT_SUCCESS);
}

static void report_signing(void)
{
	double *all = calloc((size_t)options.programs * MAXIMUM_SAMPLES, sizeof(*all));
	unsigned least = MAXIMUM_SAMPLES, most = 0;
	size_t count = 0;

	for (unsigned i = 0; i < options.programs; i++) {
		const struct program *program = &crowd->programs[i];
		least = program->count < least ? program->count : least;
		most = program->count > most ? program->count : most;
		for (unsigned j = 0; j < program->count; j++)
			all[count++] = (double)program->times[j];
	}
	double median = quantile(all, count, 0.5);
	printf("signatures %zu\nfailed %u\nmedian-ms %.3f\np99-ms %.3f\nleast %u\nmost %u\n", count,
		(unsigned)crowd->failed, median, quantile(all, count, 0.99), least, most);
	free(all);
}

static bool start_all(CK_FUNCTION_LIST *functions, pid_t *children)
{
	for (unsigned i = 0; i < options.programs; i++) {
		children[i] = fork();
		if (children[i] == 0)
			run_program(functions, i);
		if (children[i] < 0)
			return false;
	}
	while (crowd->ready + crowd->failed < options.programs) {
		int status;
		if (waitpid(-1, &status, WNOHANG) > 0)
			return false; /* nobody ends before it is told to */
		usleep(10000);
	}
	return true;
}

static const char usage[] =
	"Usage: slot-crowd --label TOKEN [--programs N] [--sign [--pin PIN] [--elliptic] "
	"[--seconds N]]\n"
	"                  MODULE\n"
	"Starts N programs that load the module. They are idle until standard input ends; "
	"\"ready\" says\n"
	"that all are there. Or they sign in turns for some seconds, all at once: told are the\n"
	"signatures, how many programs failed, median and 99th percentile of one signature, and "
	"how\n"
	"many the slowest and the fastest program made.\n";

static bool parse(int argc, char **argv)
{
	static const struct option known[] = {{"pin", required_argument, NULL, 'p'},
		{"label", required_argument, NULL, 'l'}, {"programs", required_argument, NULL, 'n'},
		{"seconds", required_argument, NULL, 's'}, {"sign", no_argument, NULL, 'g'},
		{"elliptic", no_argument, NULL, 'e'}, {0}};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'p')
			options.pin = optarg;
		else if (option == 'l')
			options.label = optarg;
		else if (option == 'n')
			options.programs = (unsigned)atoi(optarg);
		else if (option == 's')
			options.seconds = atof(optarg);
		else if (option == 'g')
			options.signs = true;
		else if (option == 'e')
			options.elliptic = true;
	}
	options.module = argv[optind];
	return options.label && options.module && options.programs <= MAXIMUM_PROGRAMS;
}

int main(int argc, char **argv)
{
	static pid_t children[MAXIMUM_PROGRAMS];
	char byte;

	if (!parse(argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	crowd = mmap(NULL, sizeof(*crowd) + options.programs * sizeof(struct program),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool started = crowd != MAP_FAILED && start_all(module_load(options.module), children);
	if (started && options.signs) {
		crowd->go = true;
	} else if (started) {
		puts("ready");
		fflush(stdout);
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
	}
	for (unsigned i = 0; i < options.programs && children[i] > 0; i++) {
		if (!started || !options.signs)
			kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	if (started && options.signs)
		report_signing();
	return started ? EXIT_SUCCESS : EXIT_FAILURE;
}
