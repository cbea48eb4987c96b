/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_int maximum_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	maximum_level = level;
}

void log_message(enum log_level level, const char *format, ...)
{
	char line[1024];
	va_list arguments;

	if ((int)level > maximum_level)
		return;
	int prefix = snprintf(line, sizeof(line), "<%d>", (int)level);
	va_start(arguments, format);
	int body = vsnprintf(line + prefix, sizeof(line) - (size_t)prefix - 1, format, arguments);
	va_end(arguments);
	if (body < 0)
		return;
	size_t length = strlen(line);
	for (size_t i = (size_t)prefix; i < length; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
			line[i] = '?';
	}
	line[length] = '\n';
	/* One write, so that lines of several threads do not mix. */
	ssize_t written = write(STDERR_FILENO, line, length + 1);
	(void)written;
}
