/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/parameter.h"

#include <string.h>

#define SALT_MAXIMUM	 2048
#define BYTES_MAXIMUM	 4096
#define EXTRA_MAXIMUM	 65536
#define TAG_BITS_MAXIMUM 128
#define CMAC_SIZE	 16
#define AES_WRAP_IV	 8 /* RFC 3394, 2.2.3 */
#define AES_WRAP_PAD_IV	 4 /* RFC 5649, 3 */

/* CK_GCM_PARAMS of programs that were built before ulIvBits was added to it. */
struct gcm_without_bits {
	CK_BYTE *iv_ptr;
	CK_ULONG iv_len;
	CK_BYTE *aad_ptr;
	CK_ULONG aad_len, tag_bits;
};

void parameter_clear(struct parameter *parameter)
{
	buffer_clear(&parameter->bytes);
	buffer_clear(&parameter->extra);
	*parameter = (struct parameter){0};
}

/* A copy of at most maximum bytes; NULL with a length is refused. */
static CK_RV copy(struct buffer *to, const void *data, CK_ULONG length, size_t maximum)
{
	if (length > maximum || (length && !data))
		return CKR_MECHANISM_PARAM_INVALID;
	buffer_append(to, data, length);
	return to->failed ? CKR_HOST_MEMORY : CKR_OK;
}

static CK_RV read_pss(
	struct parameter *parameter, const struct mechanism *mechanism, const CK_MECHANISM *given)
{
	const CK_RSA_PKCS_PSS_PARAMS *from = given->pParameter;

	if (!from || given->ulParameterLen != sizeof(*from) || from->sLen > SALT_MAXIMUM)
		return CKR_MECHANISM_PARAM_INVALID;
	parameter->hash = digest_of_mechanism(from->hashAlg);
	parameter->mgf = digest_of_mgf(from->mgf);
	parameter->salt_length = (uint32_t)from->sLen;
	if (!parameter->hash || !parameter->mgf ||
		(mechanism->digest != NO_DIGEST && mechanism->digest != from->hashAlg))
		return CKR_MECHANISM_PARAM_INVALID;
	return CKR_OK;
}

static CK_RV read_oaep(struct parameter *parameter, const CK_MECHANISM *given)
{
	const CK_RSA_PKCS_OAEP_PARAMS *from = given->pParameter;

	if (!from || given->ulParameterLen != sizeof(*from))
		return CKR_MECHANISM_PARAM_INVALID;
	parameter->hash = digest_of_mechanism(from->hashAlg);
	parameter->mgf = digest_of_mgf(from->mgf);
	if (!parameter->hash || !parameter->mgf ||
		(from->ulSourceDataLen && from->source != CKZ_DATA_SPECIFIED))
		return CKR_MECHANISM_PARAM_INVALID;
	return copy(&parameter->bytes, from->pSourceData, from->ulSourceDataLen, BYTES_MAXIMUM);
}

static CK_RV read_iv(struct parameter *parameter, const CK_MECHANISM *given)
{
	if (!given->pParameter || given->ulParameterLen != sizeof(parameter->iv))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(parameter->iv, given->pParameter, sizeof(parameter->iv));
	return CKR_OK;
}

static CK_RV read_ctr(struct parameter *parameter, const CK_MECHANISM *given)
{
	const CK_AES_CTR_PARAMS *from = given->pParameter;

	if (!from || given->ulParameterLen != sizeof(*from) || from->counter_bits == 0 ||
		from->counter_bits > 8 * sizeof(from->cb))
		return CKR_MECHANISM_PARAM_INVALID;
	parameter->counter_bits = (uint32_t)from->counter_bits;
	memcpy(parameter->iv, from->cb, sizeof(parameter->iv));
	return CKR_OK;
}

static CK_RV read_gcm(struct parameter *parameter, const CK_MECHANISM *given)
{
	struct gcm_without_bits from;

	if (given->pParameter && given->ulParameterLen == sizeof(CK_GCM_PARAMS)) {
		const CK_GCM_PARAMS *full = given->pParameter;
		from = (struct gcm_without_bits){
			full->iv_ptr, full->iv_len, full->aad_ptr, full->aad_len, full->tag_bits};
	} else if (given->pParameter && given->ulParameterLen == sizeof(from)) {
		memcpy(&from, given->pParameter, sizeof(from));
	} else {
		return CKR_MECHANISM_PARAM_INVALID;
	}
	if (from.tag_bits > TAG_BITS_MAXIMUM || from.tag_bits % 8 || !from.iv_len)
		return CKR_MECHANISM_PARAM_INVALID;
	parameter->tag_bits = (uint32_t)from.tag_bits;
	CK_RV rv = copy(&parameter->bytes, from.iv_ptr, from.iv_len, BYTES_MAXIMUM);
	return rv == CKR_OK ? copy(&parameter->extra, from.aad_ptr, from.aad_len, EXTRA_MAXIMUM)
			    : rv;
}

static CK_RV read_wrap(struct parameter *parameter, const CK_MECHANISM *given, size_t length)
{
	if (given->ulParameterLen && given->ulParameterLen != length)
		return CKR_MECHANISM_PARAM_INVALID;
	return copy(&parameter->bytes, given->pParameter, given->ulParameterLen, length);
}

static CK_RV read_mac(
	struct parameter *parameter, const struct mechanism *mechanism, const CK_MECHANISM *given)
{
	CK_ULONG full = mechanism->scheme == SCHEME_HMAC
				? digest_of_mechanism(mechanism->digest)->size
				: CMAC_SIZE;
	CK_ULONG wanted = full;

	if (mechanism->takes_length) {
		if (!given->pParameter || given->ulParameterLen != sizeof(wanted))
			return CKR_MECHANISM_PARAM_INVALID;
		memcpy(&wanted, given->pParameter, sizeof(wanted));
	}
	if (wanted > full)
		return CKR_MECHANISM_PARAM_INVALID;
	parameter->mac_length = (uint32_t)wanted;
	return CKR_OK;
}

static CK_RV read_ecdh(struct parameter *parameter, const CK_MECHANISM *given)
{
	const CK_ECDH1_DERIVE_PARAMS *from = given->pParameter;

	if (!from || given->ulParameterLen != sizeof(*from) || !from->pPublicData ||
		!from->ulPublicDataLen || from->kdf > UINT32_MAX ||
		(from->kdf == CKD_NULL && from->ulSharedDataLen))
		return CKR_MECHANISM_PARAM_INVALID;
	parameter->kdf = (uint32_t)from->kdf;
	CK_RV rv = copy(&parameter->extra, from->pPublicData, from->ulPublicDataLen, BYTES_MAXIMUM);
	return rv == CKR_OK ? copy(&parameter->bytes, from->pSharedData, from->ulSharedDataLen,
				      BYTES_MAXIMUM)
			    : rv;
}

static CK_RV read_data(struct parameter *parameter, const CK_MECHANISM *given)
{
	const CK_KEY_DERIVATION_STRING_DATA *from = given->pParameter;

	if (!from || given->ulParameterLen != sizeof(*from))
		return CKR_MECHANISM_PARAM_INVALID;
	return copy(&parameter->extra, from->pData, from->ulLen, BYTES_MAXIMUM);
}

static CK_RV read_data_iv(struct parameter *parameter, const CK_MECHANISM *given)
{
	const CK_AES_CBC_ENCRYPT_DATA_PARAMS *from = given->pParameter;

	if (!from || given->ulParameterLen != sizeof(*from))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(parameter->iv, from->iv, sizeof(parameter->iv));
	return copy(&parameter->extra, from->pData, from->length, BYTES_MAXIMUM);
}

CK_RV parameter_read(
	struct parameter *parameter, const struct mechanism *mechanism, const CK_MECHANISM *given)
{
	switch (mechanism->scheme) {
	case SCHEME_RSA_PSS:
		return read_pss(parameter, mechanism, given);
	case SCHEME_RSA_OAEP:
		return read_oaep(parameter, given);
	case SCHEME_AES_CBC:
	case SCHEME_AES_CBC_PAD:
		return read_iv(parameter, given);
	case SCHEME_AES_CTR:
		return read_ctr(parameter, given);
	case SCHEME_AES_GCM:
		return read_gcm(parameter, given);
	case SCHEME_AES_WRAP:
		return read_wrap(parameter, given, AES_WRAP_IV);
	case SCHEME_AES_WRAP_PAD:
		return read_wrap(parameter, given, AES_WRAP_PAD_IV);
	case SCHEME_AES_CMAC:
	case SCHEME_HMAC:
		return read_mac(parameter, mechanism, given);
	case SCHEME_ECDH:
		return read_ecdh(parameter, given);
	case SCHEME_AES_DATA_ECB:
		return read_data(parameter, given);
	case SCHEME_AES_DATA_CBC:
		return read_data_iv(parameter, given);
	case SCHEME_EDDSA: /* none, or what 3.0 has for the pure Ed25519 */
	default: /* programs pass what other versions of the standard want; it changes nothing */
		return CKR_OK;
	}
}

CK_RV parameter_write(
	const struct parameter *parameter, const struct mechanism *mechanism, struct buffer *wire)
{
	switch (mechanism->scheme) {
	case SCHEME_RSA_PSS:
	case SCHEME_RSA_OAEP:
		buffer_append_u32(wire, (uint32_t)parameter->hash->mechanism);
		buffer_append_u32(wire, (uint32_t)parameter->mgf->mgf);
		if (mechanism->scheme == SCHEME_RSA_PSS)
			buffer_append_u32(wire, parameter->salt_length);
		break;
	case SCHEME_AES_CTR:
		buffer_append_u32(wire, parameter->counter_bits);
		buffer_append(wire, parameter->iv, sizeof(parameter->iv));
		break;
	case SCHEME_AES_CBC:
	case SCHEME_AES_CBC_PAD:
	case SCHEME_AES_DATA_CBC:
		buffer_append(wire, parameter->iv, sizeof(parameter->iv));
		break;
	case SCHEME_AES_GCM:
		buffer_append_u32(wire, parameter->tag_bits);
		buffer_append_u32(wire, (uint32_t)parameter->bytes.length);
		break;
	case SCHEME_ECDH:
		buffer_append_u32(wire, parameter->kdf);
		buffer_append_u32(wire, (uint32_t)parameter->bytes.length);
		break;
	default:
		if (mechanism->takes_length)
			buffer_append_u32(wire, parameter->mac_length);
	}
	buffer_append(wire, parameter->bytes.data, parameter->bytes.length);
	if (mechanism->scheme == SCHEME_AES_GCM)
		buffer_append(wire, parameter->extra.data, parameter->extra.length);
	return wire->failed ? CKR_HOST_MEMORY : CKR_OK;
}
