/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DigiCert PKI Platform 8 (once Symantec Managed PKI): its web services, SOAP 1.1
 * over HTTPS. A registration authority's client certificate, a secret of the
 * connection, proves who asks.
 *
 * Members of its connection document:
 *
 *   name, kind ("digicert-pki-platform"), comment (optional)
 *   url              https://pki-ws.symauth.com
 *   client-key       optional: pkcs11: URI of the client certificate's key, in a slot
 *   ca-file          optional: PEM file of the authorities that the service's TLS
 *                    certificate has to come from, instead of the system's
 *   seat             optional: {id (pattern, default "{email}")}
 *   timeout-seconds  of one request, default 60
 *   retry-seconds    in all, when the service is busy or an answer was lost; default 60
 *   pickup-seconds   wait so long for a pending certificate before it is left to be
 *                    collected later; default 30
 *   revocation-check optional: authority/revocation-check.h
 *   profiles         optional: {OID or NAME: {fields: {FIELD: pattern, or
 *                    {prompt, field}}, validity-days (optional)}, ...}
 *
 * Secret: client-certificate (PEM of certificate and key, or of the certificate alone
 * where client-key is).
 */
#ifndef TESSERA_AUTHORITY_PKI_PLATFORM_H
#define TESSERA_AUTHORITY_PKI_PLATFORM_H

#include "authority/authority.h"

extern const struct authority_driver pki_platform_driver;

#endif
