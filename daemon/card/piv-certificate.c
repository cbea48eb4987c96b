/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/piv.h"

#include <openssl/x509.h>
#include <zlib.h>

/* SP 800-73-4 part 1, table 10 */
#define TAG_CERTIFICATE	      0x70
#define TAG_CERTIFICATE_INFO  0x71
#define TAG_ERROR_DETECTION   0xFE
#define INFO_COMPRESSION_MASK 0x03
#define INFO_COMPRESSED_GZIP  0x01
#define INFO_UNCOMPRESSED     0x00

#define ZLIB_WINDOW_GZIP (MAX_WBITS + 32) /* gzip or zlib, as the header says */

static const uint8_t gzip_magic[] = {0x1F, 0x8B};

static bool is_compressed(struct reader certificate, struct reader info)
{
	if (certificate.length >= sizeof(gzip_magic) && certificate.data[0] == gzip_magic[0] &&
		certificate.data[1] == gzip_magic[1])
		return true;
	return (reader_u8(&info) & INFO_COMPRESSION_MASK) == INFO_COMPRESSED_GZIP;
}

/* To at most PIV_CERTIFICATE_MAXIMUM bytes, whatever the card says. */
static bool decompress(struct reader compressed, struct buffer *plain)
{
	z_stream stream = {
		.next_in = (Bytef *)compressed.data, .avail_in = (uInt)compressed.length};
	uint8_t *room = buffer_extend(plain, PIV_CERTIFICATE_MAXIMUM);

	if (!room || inflateInit2(&stream, ZLIB_WINDOW_GZIP) != Z_OK)
		return false;
	stream.next_out = room;
	stream.avail_out = PIV_CERTIFICATE_MAXIMUM;
	int result = inflate(&stream, Z_FINISH);
	size_t length = stream.total_out;
	inflateEnd(&stream);
	buffer_truncate(plain, length);
	return result == Z_STREAM_END;
}

/* The one certificate at the start of bytes; what stands behind it is dropped. */
static bool append_certificate(struct buffer *der, const uint8_t *bytes, size_t length)
{
	const unsigned char *end = bytes;

	if (length > PIV_CERTIFICATE_MAXIMUM)
		return false;
	X509 *certificate = d2i_X509(NULL, &end, (long)length);
	if (!certificate)
		return false;
	X509_free(certificate);
	buffer_append(der, bytes, (size_t)(end - bytes));
	return true;
}

bool piv_certificate_unpack(struct reader object, struct buffer *der, struct error *error)
{
	_cleanup_buffer_ struct buffer plain = BUFFER_INIT;
	struct reader certificate;
	struct reader info = READER_INIT(NULL, 0);

	if (!tlv_find(object, TAG_CERTIFICATE, &certificate))
		return error_set(
			error, ERROR_CARD_FAILED, "the card's certificate object is malformed");
	if (reader_left(&certificate) == 0)
		return error_set(error, ERROR_NOT_FOUND, "the card's certificate is empty");
	tlv_find(object, TAG_CERTIFICATE_INFO, &info);
	if (is_compressed(certificate, info)) {
		if (!decompress(certificate, &plain))
			return error_set(error, ERROR_CARD_FAILED,
				"the card's compressed certificate is malformed");
		certificate = reader_of(&plain);
	}
	if (!append_certificate(der, certificate.data, certificate.length))
		return error_set(error, ERROR_CARD_FAILED, "the card's certificate is malformed");
	return true;
}

void piv_certificate_pack(struct buffer *object, const uint8_t *der, size_t length)
{
	tlv_append(object, TAG_CERTIFICATE, der, length);
	tlv_append(object, TAG_CERTIFICATE_INFO, (uint8_t[]){INFO_UNCOMPRESSED}, 1);
	tlv_append_header(object, TAG_ERROR_DETECTION, 0);
}
