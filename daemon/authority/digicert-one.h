/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DigiCert ONE, Trust Lifecycle Manager (once Enterprise PKI Manager): its REST
 * API, version 1. A smart card's key is certified by an immediate or a pending
 * enrollment; the API key or the client certificate is a secret of the connection.
 *
 * Members of its connection document:
 *
 *   name, kind ("digicert-one"), comment (optional)
 *   url              https://one.digicert.com, or the address of an own installation
 *   authentication   api-key (default), client-certificate
 *   client-key       optional: pkcs11: URI of the client certificate's key, in a slot
 *   ca-file          optional: PEM file of the authorities that the service's TLS
 *                    certificate has to come from, instead of the system's
 *   business-unit    optional: id; profiles of others are not offered
 *   seat             optional: {id (pattern, default "{email}"), email, name (patterns,
 *                    optional), type (USER_SEAT (default), DEVICE_SEAT, SERVER_SEAT),
 *                    create (default false: seats come with the first certificate)}
 *   timeout-seconds  of one request, default 60
 *   retry-seconds    in all, when the service is busy or an answer was lost; default 60
 *   pickup-seconds   wait so long for a pending certificate before it is left to be
 *                    collected later; default 30
 *   profiles         optional: {ID or NAME: {fields: {FIELD: pattern, or
 *                    {prompt, field}}, validity-days (optional)}, ...}
 *
 * Secrets: api-key, client-certificate (PEM of certificate and key, or of the
 * certificate alone where client-key is).
 */
#ifndef TESSERA_AUTHORITY_DIGICERT_ONE_H
#define TESSERA_AUTHORITY_DIGICERT_ONE_H

#include "authority/authority.h"

extern const struct authority_driver digicert_one_driver;

#endif
