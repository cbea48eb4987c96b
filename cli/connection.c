/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera connection: the certification authorities. */
#include <stdio.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/output.h"

static const struct column columns[] = {
	{"name", "NAME", COLUMN_TEXT},
	{"kind", "KIND", COLUMN_TEXT},
};

static const struct document_kind connections = {
	.kind = "connection",
	.interface = CLIENT_CONNECTION,
	.add = "AddConnection",
	.columns = columns,
	.column_count = ARRAY_SIZE(columns),
	.nothing_text = "There are no connections.",
};

bool connection_list(struct invocation *invocation, struct error *error)
{
	return document_list(&connections, invocation, error);
}

bool connection_show(struct invocation *invocation, struct error *error)
{
	return document_show(&connections, invocation, error);
}

bool connection_add(struct invocation *invocation, struct error *error)
{
	return document_add(&connections, invocation, error);
}

bool connection_update(struct invocation *invocation, struct error *error)
{
	return document_update(&connections, invocation, error);
}

bool connection_remove(struct invocation *invocation, struct error *error)
{
	return document_remove(&connections, invocation, error);
}

bool connection_test(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *answer = document_call(&connections, invocation, "Test", error);
	const char *message = json_string_value(json_array_get(answer, 0));

	if (!answer)
		return false;
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record =
			json_pack("{s:s}", "message", message ? message : "");
		output_json(record);
	}
	output_text(invocation, "%s", message ? message : "");
	return true;
}

bool connection_profiles(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *answer =
		document_call(&connections, invocation, "ListProfiles", error);
	const json_t *profiles = json_array_get(answer, 0);
	json_t *profile;
	size_t index;

	if (!answer)
		return false;
	if (invocation_has(invocation, OPTION_JSON))
		output_json(profiles);
	json_array_foreach(profiles, index, profile)
		output_text(invocation, "%s", json_string_value(profile));
	return true;
}

static bool write_der(
	struct invocation *invocation, const char *method, const char *label, struct error *error)
{
	_cleanup_json_ json_t *answer = document_call(&connections, invocation, method, error);

	return answer &&
	       output_der(invocation, label, json_string_value(json_array_get(answer, 0)), error);
}

bool connection_certificate(struct invocation *invocation, struct error *error)
{
	return write_der(invocation, "GetCertificate", "CERTIFICATE", error);
}

bool connection_crl(struct invocation *invocation, struct error *error)
{
	return write_der(invocation, "GetCrl", "X509 CRL", error);
}
