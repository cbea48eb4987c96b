/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The account of Kerberos in the connection documents of services that take one. */
#ifndef TESSERA_CONNECTION_KERBEROS_SETTINGS_H
#define TESSERA_CONNECTION_KERBEROS_SETTINGS_H

#include "core/http.h"
#include "model/document.h"

/*
 * "kerberos": {"principal": "svc@EXAMPLE.ORG", "keytab": "/etc/..."}, or "cache" in place of
 * "keytab"; with neither it is the default cache of tickets.
 */
struct kerberos_settings {
	char *principal;
	char *keytab; /* or NULL */
	char *cache;  /* or NULL */
};

/* Reads the member, which there has to be exactly when is_used. ERROR_INVALID_CONNECTION. */
bool kerberos_settings_parse(const struct document_node *root, bool is_used,
	struct kerberos_settings *settings, struct error *error);
void kerberos_settings_clear(struct kerberos_settings *settings);
/* A view of the settings. */
struct http_negotiate kerberos_settings_account(const struct kerberos_settings *settings);

#endif
