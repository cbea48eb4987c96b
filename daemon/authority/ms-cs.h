/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Microsoft Certificate Services: MS-WSTEP (Certificate Enrollment Web Service)
 * to enroll and to collect, MS-XCEP (Certificate Enrollment Policy Web Service)
 * for the list of templates, both SOAP 1.2 over HTTPS; or, where only that is
 * there, the forms and pages of the web enrollment (/certsrv). There is no renewal but a
 * new enrollment (a renewal request would be signed by the old key), and no
 * search: what became of a lost answer only the CA's administrator sees.
 *
 * Members of its connection document:
 *
 *   name, kind ("ms-cs"), comment (optional)
 *   protocol         ces (default), web; optional
 *   url              https://HOST/CA_CES_UsernamePassword/service.svc/CES, or an array of up
 *                    to 8, the first being asked first; with web https://HOST/certsrv
 *   policy-url       optional: https://HOST/ADPolicyProvider_CEP_.../service.svc/CEP
 *                    (not with web)
 *   authentication   password, client-certificate, kerberos
 *   user             with password: DOMAIN\NAME or NAME@DOMAIN
 *   client-key       optional: pkcs11: URI of the client certificate's key, in a slot
 *   ca-file          optional: PEM file of the authorities that the service's TLS
 *                    certificate has to come from, instead of the system's
 *   issuer-file      optional: PEM file of the CAs that have to have signed what is issued
 *   enrollment-agent optional: authority/ms-cs-agent.h
 *   revocation       optional: authority/ms-cs-revoke.h
 *   timeout-seconds  of one request, default 60
 *   pickup-seconds   wait so long for a pending certificate before it is left to be
 *                    collected later; default 10
 *   profiles         {NAME or OID: {oid (of the template, optional), on-behalf (optional),
 *                    subject (directory (default), request; optional), fields: {FIELD: pattern, or
 *                    {prompt, field}}}, ...}; without policy-url these are the
 *                    profiles that there are, and needed
 *
 * Secrets: password, client-certificate (PEM of certificate and key, or of the
 * certificate alone where client-key is), enrollment-agent.
 */
#ifndef TESSERA_AUTHORITY_MS_CS_H
#define TESSERA_AUTHORITY_MS_CS_H

#include "authority/authority.h"

extern const struct authority_driver ms_cs_driver;

#endif
