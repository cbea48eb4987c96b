/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "cli/pin.h"
#include "cli/text.h"
#include "common/alloc.h"

#define BAR_WIDTH 20

static void closep(const int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
}

static size_t width_of(int descriptor)
{
	struct winsize size = {0};

	if (!isatty(descriptor) || ioctl(descriptor, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

size_t terminal_width(void)
{
	return width_of(STDOUT_FILENO);
}

static int open_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static void say(int descriptor, const char *text)
{
	_cleanup_free_ char *clean = text_clean(text);

	/* A terminal that takes no text takes no answer either; that is found then. */
	if (write(descriptor, clean, strlen(clean)) < 0)
		return;
}

bool terminal_confirm(const char *question, struct error *error)
{
	_cleanup_(closep) int terminal = open_terminal();
	char answer[16] = "";

	if (terminal < 0)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"there is no terminal to ask on; --yes says that it is meant");
	say(terminal, question);
	say(terminal, " [y/N] ");
	ssize_t length = interrupt_read(terminal, answer, sizeof(answer) - 1);
	if (length > 0 && (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	return error_set(error, ERROR_CANCELLED, "nothing was done");
}

/* Turns echo off and on again. */
struct quiet {
	int terminal;
	struct termios before;
	bool changed;
};

static void quiet_begin(struct quiet *quiet)
{
	if (tcgetattr(quiet->terminal, &quiet->before) < 0)
		return;
	struct termios silent = quiet->before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	/* Stopped in the middle, the terminal would stay silent. */
	silent.c_cc[VSUSP] = _POSIX_VDISABLE;
	quiet->changed = tcsetattr(quiet->terminal, TCSAFLUSH, &silent) == 0;
}

static void quiet_end(struct quiet *quiet)
{
	if (quiet->changed)
		tcsetattr(quiet->terminal, TCSAFLUSH, &quiet->before);
	if (write(quiet->terminal, "\n", 1) < 0)
		return;
}

bool terminal_ask_secret(
	const char *prompt, size_t maximum, struct secret *secret, struct error *error)
{
	_cleanup_(closep) int terminal = open_terminal();
	struct quiet quiet = {.terminal = terminal};
	bool ended = false;

	if (terminal < 0)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"there is no terminal to ask for the PIN on; give it with --pin-fd, or in "
			"a file with --pin-file or --new-pin-file");
	say(terminal, prompt);
	quiet_begin(&quiet);
	bool good = quiet.changed
			    ? pin_read_line(terminal, maximum, secret, &ended, error)
			    : error_set(error, ERROR_FAILED, "cannot turn the terminal's echo off");
	quiet_end(&quiet);
	if (!good && interrupt_count() > 0)
		return error_set(error, ERROR_CANCELLED, "nothing was done");
	if (good && ended && secret->length == 0)
		return error_set(error, ERROR_CANCELLED, "nothing was done");
	return good;
}

char *terminal_ask_line(const char *prompt, size_t maximum, struct error *error)
{
	_cleanup_(closep) int terminal = open_terminal();
	_cleanup_secret_ struct secret line = SECRET_INIT;
	bool ended = false;

	if (terminal < 0) {
		error_set(error, ERROR_INVALID_ARGUMENT, "there is no terminal to ask on");
		return NULL;
	}
	say(terminal, prompt);
	if (!pin_read_line(terminal, maximum, &line, &ended, error))
		return NULL;
	if (ended && line.length == 0) {
		error_set(error, ERROR_CANCELLED, "nothing was done");
		return NULL;
	}
	return xasprintf("%.*s", (int)line.length, (const char *)line.data);
}

bool terminal_check(struct error *error)
{
	_cleanup_(closep) int terminal = open_terminal();

	return terminal >= 0 || error_set(error, ERROR_INVALID_ARGUMENT,
					"there is no terminal to ask for PINs and to show them on");
}

/* Whole, or not at all as far as anybody can rely on it. */
static bool write_all(int descriptor, const void *data, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t count = write(descriptor, (const char *)data + done, length - done);
		if (count <= 0)
			return false;
		done += (size_t)count;
	}
	return true;
}

/* False at the end of the input, or when a signal has come. */
static bool await_enter(int terminal)
{
	char byte = 0;

	while (interrupt_read(terminal, &byte, 1) == 1) {
		if (byte == '\n')
			return true;
	}
	return false;
}

bool terminal_show_secret(const char *text, const struct secret *secret, struct error *error)
{
	static const char note[] = "\nNote it, it is not shown again; then press Enter: ";
	_cleanup_(closep) int terminal = open_terminal();

	if (terminal < 0)
		return terminal_check(error);
	tcflush(terminal, TCIFLUSH); /* an Enter from before is no answer */
	say(terminal, text);
	return (write_all(terminal, secret->data, secret->length) &&
		       write_all(terminal, note, sizeof(note) - 1) && await_enter(terminal)) ||
	       error_set(error, ERROR_CANCELLED, "nobody has said that the PIN is noted");
}

void progress_show(struct progress *progress, unsigned percent, const char *step)
{
	static const char full[] = "####################";

	if (!progress->enabled || !isatty(STDERR_FILENO))
		return;
	size_t width = width_of(STDERR_FILENO);
	int filled = (int)((percent > 100 ? 100 : percent) * BAR_WIDTH / 100);
	_cleanup_free_ char *clean = text_clean(step);
	char *line = xasprintf("[%-*.*s] %3u%% %s", BAR_WIDTH, filled, full, percent, clean);
	text_shorten(&line, width > 1 ? width - 1 : 0);
	size_t drawn = text_width(line);
	size_t rest = progress->drawn > drawn ? progress->drawn - drawn : 0;
	fprintf(stderr, "\r%s%*s", line, (int)rest, "");
	fflush(stderr);
	progress->drawn = drawn;
	free(line);
}

void progress_clear(struct progress *progress)
{
	if (progress->drawn == 0)
		return;
	fprintf(stderr, "\r%*s\r", (int)progress->drawn, "");
	fflush(stderr);
	progress->drawn = 0;
}
