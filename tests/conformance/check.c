/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance/conformance.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conformance/result.h"

static const char *section_now = "?";
static char name_now[128];

void section(const char *number)
{
	section_now = number;
}

const char *join(const char *first, const char *second)
{
	static char names[8][128];
	static unsigned next;
	char *name = names[next++ % ARRAY_SIZE(names)];

	snprintf(name, sizeof(names[0]), "%s%s", first, second);
	return name;
}

bool check_begin(const char *name)
{
	if (results_has_crashed(name))
		return false;
	snprintf(name_now, sizeof(name_now), "%s", name);
	result_tell("begin", section_now, name_now, "");
	return true;
}

static bool check_end(bool passed, const char *detail)
{
	result_tell(passed ? "pass" : "fail", section_now, name_now, detail);
	return passed;
}

void check_skip(const char *name, const char *why)
{
	result_tell("skip", section_now, name, why);
}

void check_broken(const char *group, const char *call, CK_RV rv)
{
	char detail[256];

	snprintf(detail, sizeof(detail), "%s of %.160s", ckr_name(rv), call);
	result_tell("fail", section_now, join(group, ".setup"), detail);
}

bool check_holds(bool holds, const char *condition)
{
	char detail[256];

	snprintf(detail, sizeof(detail), "not so: %.200s", condition);
	return check_end(holds, holds ? "" : detail);
}

bool check_left_out(void)
{
	return false;
}

bool check_returned(CK_RV rv, const char *call, const CK_RV *wanted, size_t count)
{
	char detail[512];

	for (size_t i = 0; i < count; i++) {
		if (rv == wanted[i])
			return check_end(true, "");
	}
	snprintf(detail, sizeof(detail), "%s instead of %s: %.240s", ckr_name(rv),
		ckr_name(wanted[0]), call);
	return check_end(false, detail);
}
