/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance/conformance.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/result.h"

struct suite suite;

const struct chapter chapters[] = {
	{"general_uninitialized", general_uninitialized, CHAPTER_BARE},
	{"general_initialize", general_initialize, CHAPTER_BARE},
	{"general_information", general_information, 0},
	{"slot_functions", slot_functions, 0},
	{"slot_mechanisms", slot_mechanisms, 0},
	{"slot_events", slot_events, CHAPTER_BARE},
	{"slot_pins", slot_pins, 0},
	{"slot_init_token", slot_init_token, 0},
	{"session_functions", session_functions, 0},
	{"session_state", session_state, 0},
	{"session_login", session_login, 0},
	{"session_officer", session_officer, 0},
	{"object_create", object_create, 0},
	{"object_lifetime", object_lifetime, 0},
	{"object_attributes", object_attributes, 0},
	{"object_copy", object_copy, 0},
	{"object_find", object_find, 0},
	{"import_certificates", import_certificates, 0},
	{"import_keys", import_keys, 0},
	{"encrypt_arguments", encrypt_arguments, 0},
	{"encrypt_aes", encrypt_aes, 0},
	{"encrypt_buffers", encrypt_buffers, 0},
	{"encrypt_rsa", encrypt_rsa, 0},
	{"digest_functions", digest_functions, 0},
	{"sign_arguments", sign_arguments, 0},
	{"sign_rsa", sign_rsa, 0},
	{"sign_ec", sign_ec, 0},
	{"sign_mac", sign_mac, 0},
	{"sign_edwards", sign_edwards, 0},
	{"sign_always_authenticate", sign_always_authenticate, 0},
	{"dual_functions", dual_functions, 0},
	{"key_generate", key_generate, 0},
	{"key_wrap", key_wrap, 0},
	{"key_wrap_rsa", key_wrap_rsa, 0},
	{"key_derive", key_derive, 0},
	{"secret_keys", secret_keys, 0},
	{"random_functions", random_functions, 0},
	{"parallel_functions", parallel_functions, 0},
	{"interface_functions", interface_functions, CHAPTER_BARE},
	{"process_threads", process_threads, 0},
	{"process_fork", process_fork, 0},
};

static const struct chapter *chapter_now;

static void usage(void)
{
	puts("conformance - check a PKCS#11 module by the text of the standard\n"
	     "\n"
	     "conformance --module FILE --token LABEL --pin PIN [--so-pin PIN] [--scratch LABEL]\n"
	     "            --kind KIND --deviations FILE [CHAPTER...]\n"
	     "\n"
	     "Prints a line for each check. With chapters, only those are run, and results are "
	     "not\n"
	     "compared with the deviations of other chapters.\n"
	     "  --so-pin PIN        also what the security officer does\n"
	     "  --scratch LABEL     a token that may be initialised anew\n"
	     "  --kind KIND         what the token is; the deviations of this kind are known\n"
	     "  --list              the chapters' names\n"
	     "Status 0 when all is as known.");
}

static void list(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(chapters); i++)
		puts(chapters[i].name);
}

static void run_chapter(void)
{
	section("5.4");
	bool ready = chapter_now->flags & CHAPTER_BARE ? token_load() : token_begin();

	if (ready)
		chapter_now->run();
	else
		check_broken(chapter_now->name, "the beginning", CKR_GENERAL_ERROR);
}

static bool is_wanted(const char *name, char **wanted)
{
	if (!*wanted)
		return true;
	for (; *wanted; wanted++) {
		if (!strcmp(*wanted, name))
			return true;
	}
	return false;
}

static const char *read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"module", required_argument, NULL, 'm'},
		{"token", required_argument, NULL, 't'},
		{"pin", required_argument, NULL, 'p'},
		{"so-pin", required_argument, NULL, 's'},
		{"scratch", required_argument, NULL, 'x'},
		{"kind", required_argument, NULL, 'k'},
		{"deviations", required_argument, NULL, 'd'},
		{"list", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *deviations = NULL;

	for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		switch (option) {
		case 'm':
			suite.module = optarg;
			break;
		case 't':
			suite.token = optarg;
			break;
		case 'p':
			suite.pin = optarg;
			break;
		case 's':
			suite.so_pin = optarg;
			break;
		case 'x':
			suite.scratch = optarg;
			break;
		case 'k':
			suite.kind = optarg;
			break;
		case 'd':
			deviations = optarg;
			break;
		case 'l':
			list();
			exit(0);
		case 'h':
			usage();
			exit(0);
		default:
			exit(2);
		}
	}
	return deviations;
}

int main(int argc, char **argv)
{
	const char *deviations = read_options(argc, argv);

	if (!suite.module || !suite.token || !suite.pin || !suite.kind || !deviations) {
		fputs("conformance: an option is missing; see --help\n", stderr);
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(chapters); i++) {
		chapter_now = &chapters[i];
		if (is_wanted(chapter_now->name, argv + optind))
			results_of_chapter(chapter_now->name, run_chapter);
	}
	return results_compare(deviations, suite.kind) ? 0 : 1;
}
