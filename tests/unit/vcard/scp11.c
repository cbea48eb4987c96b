/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#include "common/alloc.h"
#include "common/tlv.h"
#include "unit/vcard/fixture.h"
#include "unit/vcard/secure-host.h"

#define SECURED_STATUS "04200080 08 0011223344556677"
#define WRONG_TRY      "002C0080103939393939393939363534333231FFFF"

static int set_up(void **state)
{
	*state = test_issuer_new();
	return 0;
}

static int tear_down(void **state)
{
	test_issuer_free(*state);
	return 0;
}

static void tests_own_side_knows_published_answers(void **state)
{
	_cleanup_buffer_ struct buffer key = BUFFER_INIT, message = BUFFER_INIT,
				       secret = BUFFER_INIT;
	uint8_t out[16];

	(void)state;
	/* RFC 4493, 4 */
	append_hex(&key, "2b7e151628aed2a6abf7158809cf4f3c");
	host_cmac(key.data, &message, out);
	assert_memory_equal(
		out, "\xbb\x1d\x69\x29\xe9\x59\x37\x28\x7f\xa3\x7d\x12\x9b\x75\x67\x46", 16);
	append_hex(&message, "6bc1bee22e409f96e93d7e117393172a");
	host_cmac(key.data, &message, out);
	assert_memory_equal(
		out, "\x07\x0a\x16\xb4\x6b\x4d\x41\x44\xf7\x9b\xdd\x9d\xd0\x4a\x28\x7c", 16);
	append_hex(&message, "ae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411");
	host_cmac(key.data, &message, out);
	assert_memory_equal(
		out, "\xdf\xa6\x67\x47\xde\x9a\xe6\x30\x30\xca\x32\x61\x14\x97\xc8\x27", 16);
	/* NIST's validation of ANS X9.63 with SHA-256, first answer */
	append_hex(&secret, "96c05619d56c328ab95fe84b18264b08725b85e33fd34f08");
	host_kdf(reader_of(&secret), (struct reader){0}, out, sizeof(out));
	assert_memory_equal(
		out, "\x44\x30\x24\xc3\xda\xe6\x6b\x95\xe6\xf5\x67\x06\x01\x55\x8f\x71", 16);
}

static void domain_tells_the_keys(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_scp11_card(*state);
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;

	assert_status(card, TELL_KEYS, 0x6D00);
	assert_answer(card, SELECT_DOMAIN, "6f108408a000000151000000a5049f6501ff");
	assert_answer(card, TELL_KEYS, "e018c00401ff8810c00402ff8810c00403ff8810c0041301b120");
	assert_answer(card, "80CA00E0", "e018c00401ff8810c00402ff8810c00403ff8810c0041301b120");
	assert_status(card, "00CA00E0 01 00", 0x6A80);
	assert_status(card, "00CA0066 00", 0x6A88);
	assert_status(card, "00CABF21", 0x6A80);
	assert_status(card, "00CABF21 06 A60483021302", 0x6A88);
	assert_status(card, "00CABF21 06 A60483021101", 0x6A88);
	assert_status(card, "00CABF21 05 A603830113", 0x6A80);
	assert_status(card, "00CABF21 07 A6048302130100", 0x6A80);
	assert_status(card, VERIFY_STATUS, 0x6D00);
	assert_status(card, "00A4040007A0000001510000", 0x6A82);
	assert_status(card, "00A4040009A00000015100000000", 0x6A82);
	/* As long as extended commands let: in one piece. */
	assert_int_equal(transmit(card, "00CABF21 000006 A60483021301 0000", &data), 0x9000);
	assert_true(data.length > 256);
}

static void assert_serial(X509 *certificate, const char *der, size_t length)
{
	ASN1_OBJECT *object = OBJ_txt2obj("1.3.6.1.4.1.41482.3.7", 1);
	int index = X509_get_ext_by_OBJ(certificate, object, -1);

	assert_true(index >= 0);
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(certificate, index));
	assert_int_equal(ASN1_STRING_length(value), length);
	assert_memory_equal(ASN1_STRING_get0_data(value), der, length);
	ASN1_OBJECT_free(object);
}

static void certificates_lead_from_the_root_to_the_card(void **state)
{
	const struct test_issuer *issuer = *state;
	struct vcard_options options = {.firmware = VCARD_FIRMWARE(5, 7, 2),
		.scp11_ca = issuer->path,
		.has_serial = true,
		.serial = 0x01020304};
	_cleanup_vcard_ struct vcard *card = open_card(&options);
	X509 *certificates[4];

	assert_int_equal(host_certificates(card, certificates, 4), 2);
	assert_int_equal(X509_verify(certificates[0], X509_get0_pubkey(issuer->root)), 1);
	assert_int_equal(X509_verify(certificates[1], X509_get0_pubkey(certificates[0])), 1);
	assert_int_equal(X509_check_ca(certificates[1]), 0);
	assert_int_equal(X509_get_key_usage(certificates[1]), KU_KEY_AGREEMENT);
	assert_serial(certificates[1], "\x02\x04\x01\x02\x03\x04", 6);
	X509_free(certificates[0]);
	X509_free(certificates[1]);
}

static void root_itself_is_not_among_the_certificates(void **state)
{
	const struct test_issuer *issuer = *state;
	struct vcard_options options = {
		.firmware = VCARD_FIRMWARE(5, 7, 4), .scp11_ca = issuer->root_path};
	_cleanup_vcard_ struct vcard *card = open_card(&options);
	_cleanup_host_ struct host host = {0};
	X509 *certificates[4];

	assert_int_equal(host_certificates(card, certificates, 4), 1);
	assert_int_equal(X509_verify(certificates[0], X509_get0_pubkey(issuer->root)), 1);
	X509_free(certificates[0]);
	host_open(&host, card);
	assert_secure(&host, card, VERIFY_PIN, 0x9000);
}

static void refuse_ca(const char *path)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct vcard_options options = {.firmware = VCARD_FIRMWARE(5, 7, 2), .scp11_ca = path};
	_cleanup_vcard_ struct vcard *card = vcard_open(&options, &error);

	assert_null(card);
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_string_equal(error.field, "scp11_ca");
}

static void file_has_to_hold_a_ca(void **state)
{
	const struct test_issuer *issuer = *state;
	_cleanup_free_ char *path = xasprintf("%s/other", issuer->folder);

	refuse_ca(path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs("nothing\n", file);
	fclose(file);
	refuse_ca(path);
}

static void other_cards_have_no_scp11(void **state)
{
	const struct test_issuer *issuer = *state;
	const struct vcard_options others[] = {
		{.firmware = VCARD_FIRMWARE(5, 7, 2)},
		{.firmware = VCARD_FIRMWARE(5, 7, 1), .scp11_ca = issuer->path},
		{.profile = VCARD_PROFILE_NIST, .scp11_ca = issuer->path},
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_vcard_ struct vcard *card = open_card(&others[i]);
		_cleanup_host_ struct host host = {0};
		_cleanup_buffer_ struct buffer data = BUFFER_INIT;
		host_request(&host, &data);
		assert_int_equal(
			transmit_data(card, OPEN_HEADER, data.data, data.length, NULL), 0x6D00);
		assert_status(card, SELECT_DOMAIN, 0x6A82);
		assert_status(card, "00CA00E0", 0x6D00);
		assert_status(card, SECURED_STATUS, 0x6882);
	}
}

static void channel_opens_in_piv_and_in_the_domain(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_scp11_card(*state);
	_cleanup_buffer_ struct buffer data = BUFFER_INIT, answer = BUFFER_INIT;
	_cleanup_host_ struct host host = {0};
	X509 *certificates[2];

	host_open(&host, card);
	assert_secure(&host, card, VERIFY_PIN, 0x9000);
	assert_int_equal(host_certificates(card, certificates, 2), 2);
	assert_status(card, SELECT_DOMAIN, 0x9000);
	host_request(&host, &data);
	assert_int_equal(transmit_data(card, OPEN_HEADER, data.data, data.length, &answer), 0x9000);
	host_accept(&host, certificates[1], reader_of(&data), reader_of(&answer));
	assert_secure_answer(
		&host, card, TELL_KEYS, "e018c00401ff8810c00402ff8810c00403ff8810c0041301b120");
	assert_secure(&host, card, VERIFY_PIN, 0x6D00);
	X509_free(certificates[0]);
	X509_free(certificates[1]);
	/* The small applets have no channels. */
	assert_status(card, SELECT_MANAGER, 0x9000);
	assert_int_equal(transmit_data(card, OPEN_HEADER, data.data, data.length, NULL), 0x6D00);
}

/* Sends a request that is not to be taken, and sees that no channel came of it. */
static void refuse_request(
	struct vcard *card, const char *header, const struct buffer *data, unsigned status)
{
	uint16_t answered = transmit_data(card, header, data->data, data->length, NULL);

	if (answered != status)
		fail_msg("%s answered %04X instead of %04X", header, answered, status);
	assert_status(card, SECURED_STATUS, 0x6E00);
}

static void wrong_key_reference_is_refused(void **state)
{
	static const char *const headers[] = {
		"80880213", "80880011", "80880111", "80880115", "8088FF13", "80880000", "80881301"};
	_cleanup_vcard_ struct vcard *card = open_scp11_card(*state);
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;
	_cleanup_host_ struct host host = {0};

	host_request(&host, &data);
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		refuse_request(card, headers[i], &data, 0x6A88);
	refuse_request(card, "00880113", &data, 0x6E00);
	assert_status(card, "80880113 00", 0x6A80);
}

static void wrong_point_is_refused(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_scp11_card(*state);
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;
	_cleanup_host_ struct host host = {0};

	/* Not on the curve. */
	host_request(&host, &data);
	data.data[data.length - 1] ^= 1;
	refuse_request(card, OPEN_HEADER, &data, 0x6A80);
	memset(data.data + data.length - 64, 0, 64);
	refuse_request(card, OPEN_HEADER, &data, 0x6A80);
	/* Beyond the field. */
	memset(data.data + data.length - 64, 0xFF, 64);
	refuse_request(card, OPEN_HEADER, &data, 0x6A80);
	/* Other forms: hybrid, infinity, compressed. */
	host_request(&host, &data);
	data.data[data.length - 65] = 0x06 | (data.data[data.length - 1] & 1);
	refuse_request(card, OPEN_HEADER, &data, 0x6A80);
	data.data[data.length - 65] = 0;
	refuse_request(card, OPEN_HEADER, &data, 0x6A80);
	host_request(&host, &data);
	data.data[data.length - 65] = 0x02 | (data.data[data.length - 1] & 1);
	data.data[data.length - 66] = 33;
	buffer_truncate(&data, data.length - 32);
	refuse_request(card, OPEN_HEADER, &data, 0x6A80);
}

static void request_asks_for_what_the_card_does(void **state)
{
	static const char *const heads[] = {
		"a60d9002110195013c800188810110", /* with a host identity */
		"a60d9002010095013c800188810110", /* SCP11a */
		"a60d9002130095013c800188810110",
		"a60d90021100950134800188810110", /* no encryption of responses */
		"a60d90021100950101800188810110",
		"a60d9002110095013c800180810110",  /* 3DES */
		"a60d9002110095013c800188810120",  /* AES-256 */
		"a60d900211009501 3c810110800188", /* another order */
		"a60c90021195013c800188810110",	   /* short and long fields */
		"a60e900311000095013c800188810110",
		"a60e900211009502 3c3c800188810110",
		"a60c9002110095013c8000810110",
		"a60e9002110095013c800188810200 10",
		"a60a9002110095013c800188", /* without a length, a usage, the key */
		"a60a90021100800188810110",
		"a6099501 3c800188810110",
		"a6109002110095013c800188810110840101", /* with one field more */
		"a60e9002110095013c800188810110",	/* lengths that lie */
		"a60c9002110095013c800188810110",
		"a70d9002110095013c800188810110",
		"a600",
		"",
	};
	_cleanup_vcard_ struct vcard *card = open_scp11_card(*state);
	_cleanup_buffer_ struct buffer right = BUFFER_INIT;
	_cleanup_host_ struct host host = {0};

	host_request(&host, &right);
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		_cleanup_buffer_ struct buffer data = BUFFER_INIT;
		append_hex(&data, heads[i]);
		buffer_append(&data, right.data + 15, right.length - 15);
		refuse_request(card, OPEN_HEADER, &data, 0x6A80);
	}
	for (size_t length = 1; length < right.length; length++) {
		struct buffer cut = right;
		cut.length = length;
		refuse_request(card, OPEN_HEADER, &cut, 0x6A80);
	}
	buffer_append_u8(&right, 0);
	refuse_request(card, OPEN_HEADER, &right, 0x6A80);
}

static void key_survives_programs_and_resets(void **state)
{
	const struct test_issuer *issuer = *state;
	_cleanup_free_ char *path = xasprintf("%s/card", issuer->folder);
	struct vcard_options options = {.firmware = VCARD_FIRMWARE(5, 7, 2), .state_path = path};
	_cleanup_buffer_ struct buffer before = BUFFER_INIT, after = BUFFER_INIT;
	_cleanup_host_ struct host host = {0};

	/* A file without it, as of a card before SCP11, gets it when it is asked for. */
	_cleanup_vcard_ struct vcard *card = open_card(&options);
	options.scp11_ca = issuer->path;
	vcard_free(card);
	card = open_card(&options);
	assert_status(card, SELECT_DOMAIN, 0x9000);
	assert_int_equal(transmit_all(card, TELL_CERTIFICATES, &before), 0x9000);
	/* A factory reset of PIV. */
	assert_status(card, SELECT_PIV, 0x9000);
	for (int i = 0; i < 3; i++) {
		assert_status(card, VERIFY_WRONG, 0x63C2U - (unsigned)i);
		assert_status(card, WRONG_TRY, 0x63C2U - (unsigned)i);
	}
	assert_status(card, "00FB0000", 0x9000);
	/* What made it is not asked again; without the option it sleeps. */
	options.scp11_ca = NULL;
	vcard_free(card);
	card = open_card(&options);
	assert_status(card, SELECT_DOMAIN, 0x6A82);
	options.scp11_ca = "/nowhere";
	vcard_free(card);
	card = open_card(&options);
	assert_status(card, SELECT_DOMAIN, 0x9000);
	assert_int_equal(transmit_all(card, TELL_CERTIFICATES, &after), 0x9000);
	assert_int_equal(after.length, before.length);
	assert_memory_equal(after.data, before.data, before.length);
	host_open(&host, card);
	assert_secure(&host, card, VERIFY_PIN, 0x9000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tests_own_side_knows_published_answers),
		cmocka_unit_test_setup_teardown(domain_tells_the_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			certificates_lead_from_the_root_to_the_card, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			root_itself_is_not_among_the_certificates, set_up, tear_down),
		cmocka_unit_test_setup_teardown(file_has_to_hold_a_ca, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_cards_have_no_scp11, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			channel_opens_in_piv_and_in_the_domain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_key_reference_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_point_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			request_asks_for_what_the_card_does, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			key_survives_programs_and_resets, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
