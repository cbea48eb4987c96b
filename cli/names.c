/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/names.h"

#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"

json_t *names_split(const char *text)
{
	json_t *names = json_array();
	_cleanup_free_ char *copy = xstrdup(text ? text : "");
	char *rest = copy;

	for (char *name; (name = strsep(&rest, ","));) {
		if (name[0])
			json_array_append_new(names, json_string(name));
	}
	return names;
}

char *names_join(const json_t *names, const char *between)
{
	char *text = xstrdup("");
	const json_t *name;
	size_t index;

	json_array_foreach(names, index, name)
	{
		char *longer = xasprintf(
			"%s%s%s", text, index > 0 ? between : "", json_string_value(name));
		free(text);
		text = longer;
	}
	return text;
}
