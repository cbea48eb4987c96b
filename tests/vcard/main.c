/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera-vcard: puts a virtual card into vpcd's virtual reader. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "vcard/control.h"
#include "vcard/options.h"
#include "vcard/vpcd.h"

#define CONNECT_PAUSE_MS 50

/*
 * pcscd looks into the reader every 400 ms. A card that comes back before it
 * was seen missing stays "removed" for pcscd for ever.
 */
#define ABSENCE_MINIMUM_MS 700

struct program {
	struct options options;
	struct vcard *card;
	struct control control;
	int reader;	    /* socket to vpcd; -1: the card is outside the reader */
	int exit_code;	    /* -1: go on */
	int64_t left_at_ms; /* when the card last left the reader; 0: never */
};

static volatile sig_atomic_t ended;

static void note_end(int number)
{
	(void)number;
	ended = 1;
}

/* Signals are let in only while polling, so that none slips in between. */
static void catch_signals(sigset_t *while_polling)
{
	struct sigaction action = {.sa_handler = note_end};
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, while_polling);
	sigdelset(while_polling, SIGTERM);
	sigdelset(while_polling, SIGINT);
	sigdelset(while_polling, SIGHUP);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

/* Sleeps unless a signal ends the program. */
static void pause_ms(unsigned milliseconds, const sigset_t *while_polling)
{
	const struct timespec time = {
		.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};

	ppoll(NULL, 0, &time, while_polling);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void stay_out_long_enough(const struct program *program)
{
	int64_t left = program->left_at_ms + ABSENCE_MINIMUM_MS - now_ms();
	const struct timespec time = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};

	if (program->left_at_ms && left > 0)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

static bool insert_card(void *data, struct error *error)
{
	struct program *program = data;

	if (program->reader >= 0)
		return true;
	stay_out_long_enough(program);
	vcard_reset(program->card);
	program->reader = vpcd_connect(program->options.host, program->options.port, error);
	return program->reader >= 0;
}

static void remove_card(void *data)
{
	struct program *program = data;

	if (program->reader < 0)
		return;
	close(program->reader);
	program->reader = -1;
	program->left_at_ms = now_ms();
}

/* Tries until there is a reader, the time is over or a signal comes. */
static bool insert_patiently(struct program *program, const sigset_t *while_polling)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	uint64_t tries = (uint64_t)program->options.wait_seconds * 1000 / CONNECT_PAUSE_MS;

	for (uint64_t i = 0; !ended; i++) {
		if (insert_card(program, &error))
			return true;
		if (tries && i >= tries)
			break;
		pause_ms(CONNECT_PAUSE_MS, while_polling);
	}
	if (!ended)
		log_error("%s", error_message(&error));
	program->exit_code = ended ? 0 : 1;
	return false;
}

/* The connection is over: because a knob took the card out, or because the reader went away. */
static void leave_reader(struct program *program, const sigset_t *while_polling)
{
	const struct options *options = &program->options;

	remove_card(program);
	if (!vcard_is_gone(program->card)) {
		insert_patiently(program, while_polling);
	} else if (options->reinsert_ms) {
		pause_ms(options->reinsert_ms, while_polling);
		insert_patiently(program, while_polling);
	} else if (!options->control_path) {
		program->exit_code = 0;
	}
}

static int run(struct program *program)
{
	const struct control_actions actions = {program, remove_card, insert_card};
	sigset_t while_polling;

	catch_signals(&while_polling);
	if (!program->options.remove_at_start)
		insert_patiently(program, &while_polling);
	while (!ended && program->exit_code < 0) {
		int reader = vcard_is_held(program->card) ? -1 : program->reader;
		struct pollfd sources[] = {{.fd = reader, .events = POLLIN},
			{.fd = control_fd(&program->control), .events = POLLIN}};
		if (ppoll(sources, 2, NULL, &while_polling) <= 0)
			continue;
		if (sources[0].revents && !vpcd_serve(program->reader, program->card))
			leave_reader(program, &while_polling);
		if (sources[1].revents)
			control_serve(&program->control, program->card, &actions);
	}
	return program->exit_code < 0 ? 0 : program->exit_code;
}

int main(int argc, char **argv)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct program program = {.reader = -1, .exit_code = -1};
	int status = 1;

	options_parse(&program.options, argc, argv);
	program.card = vcard_open(&program.options.card, &error);
	if (program.card)
		vcard_reset_count(program.card);
	if (program.card && control_open(&program.control, program.options.control_path, &error)) {
		status = run(&program);
		control_close(&program.control);
	} else {
		log_error("%s", error_message(&error));
	}
	remove_card(&program);
	vcard_free(program.card);
	if (program.options.card.apdu_log)
		fclose(program.options.card.apdu_log);
	return status;
}
