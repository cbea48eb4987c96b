/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificate of a card's key for encrypted channels (EC P-256), DER in hexadecimal. */
#ifndef TESSERA_TESTS_FUZZ_CARD_CERTIFICATE_H
#define TESSERA_TESTS_FUZZ_CARD_CERTIFICATE_H

#define CARD_CERTIFICATE                                                                           \
	"308201143081bb02140a253aca96ba855fa96b74a62955bcac31bd457d300a06082a8648ce3d"             \
	"040302300c310a300806035504030c01633020170d3236313132373135303333335a180f3231"             \
	"3236313130333135303333335a300c310a300806035504030c01633059301306072a8648ce3d"             \
	"020106082a8648ce3d03010703420004b46001c435bd9fac4e5c924ae7d1d3011628adc781c6"             \
	"f56a193128c4e9d2990afd2b513f46dc7f9ccaf7da57f524f4de78cdfa40a9c7b47639f3a163"             \
	"b6bb543a300a06082a8648ce3d040302034800304502210099e2fb15eef3fb0a56b65ef9ce17"             \
	"9bfde122133649d06633d02bc57e17c8ad9902204640c458dc830951bd77f8f7b3a6db1cfe97"             \
	"68d09e9d2a075fbbccf73f213110"

#endif
