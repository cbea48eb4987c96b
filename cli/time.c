/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/time.h"

#include <string.h>
#include <time.h>

#include "cli/arguments.h"
#include "common/macros.h"

static bool wrong(const char *text, const char *what, struct error *error)
{
	return error_set(error, ERROR_INVALID_ARGUMENT,
		"%s must be a time such as 2026-01-31 or 2026-01-31T14:30, not \"%s\"", what, text);
}

/* Whether the calendar has that day: mktime() takes the 31st of June for the 1st of July. */
static bool is_same_day(const struct tm *wanted, const struct tm *made)
{
	return wanted->tm_mday == made->tm_mday && wanted->tm_mon == made->tm_mon;
}

bool time_parse(const char *text, const char *what, int64_t *microseconds, struct error *error)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
		"%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"};
	int64_t seconds;

	if (text[0] == '@') {
		if (!number_parse(text + 1, what, 0, INT64_MAX / 1000000, &seconds, error))
			return false;
		*microseconds = seconds * 1000000;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm parts = {.tm_isdst = -1};
		const char *rest = strptime(text, forms[i], &parts);
		bool is_utc = rest && strcmp(rest, "Z") == 0;
		if (!rest || (*rest && !is_utc))
			continue;
		struct tm wanted = parts;
		time_t time = is_utc ? timegm(&parts) : mktime(&parts);
		if (time < 0 || !is_same_day(&wanted, &parts))
			break;
		*microseconds = (int64_t)time * 1000000;
		return true;
	}
	return wrong(text, what, error);
}
