/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/stream.h"

#include <string.h>

bool stream_is(const struct operation *operation)
{
	enum scheme scheme = operation->mechanism->scheme;

	return scheme >= SCHEME_AES_ECB && scheme <= SCHEME_AES_CTR;
}

/* Whole blocks; of what is padded the last one waits, as the padding may be in it. */
static size_t usable(const struct operation *operation, size_t length)
{
	bool waits = operation->mechanism->scheme == SCHEME_AES_CBC_PAD &&
		     operation->kind == OPERATION_DECRYPT;

	if (waits && length > 0)
		length--;
	return length - length % AES_BLOCK;
}

size_t stream_size(const struct operation *operation, size_t more)
{
	return usable(operation, operation->data.length + more);
}

/* What is padded in the end is plain CBC before. */
static const struct mechanism *part_mechanism(const struct operation *operation)
{
	return operation->mechanism->scheme == SCHEME_AES_CBC_PAD ? mechanism_find(CKM_AES_CBC)
								  : operation->mechanism;
}

CK_RV stream_part(struct operation *operation, struct view *data, struct request *request)
{
	struct buffer *waiting = &operation->data;
	_cleanup_buffer_ struct buffer rest = BUFFER_INIT_WIPE;
	size_t taken = data->length < STREAM_PART_MAXIMUM ? data->length : STREAM_PART_MAXIMUM;
	const struct mechanism *mechanism = part_mechanism(operation);

	buffer_append(waiting, data->data, taken);
	*data = (struct view){data->data + taken, data->length - taken};
	size_t now = usable(operation, waiting->length);
	if (waiting->failed)
		return CKR_HOST_MEMORY;
	if (now == 0)
		return CKR_OK;
	buffer_append(&rest, waiting->data + now, waiting->length - now);
	buffer_truncate(waiting, now);
	buffer_move(&request->input, waiting);
	request->input.wipe = true;
	buffer_move(waiting, &rest);
	waiting->wipe = true;
	request->mechanism = mechanism->type;
	return request->input.failed || waiting->failed
		       ? CKR_HOST_MEMORY
		       : parameter_write(&operation->parameter, mechanism, &request->parameter);
}

/* Adds to the last counter_bits bits of the block; what is carried out of them is lost. */
static void count_up(struct parameter *parameter, size_t blocks)
{
	uint32_t left = parameter->counter_bits;
	uint64_t carry = blocks;

	for (size_t i = AES_BLOCK; i-- > 0 && left > 0;) {
		uint32_t bits = left < 8 ? left : 8;
		uint8_t mask = (uint8_t)(0xFF >> (8 - bits));
		uint64_t sum = (parameter->iv[i] & mask) + carry;
		parameter->iv[i] = (uint8_t)((parameter->iv[i] & ~mask) | (sum & mask));
		carry = sum >> bits;
		left -= bits;
	}
}

CK_RV stream_advance(
	struct operation *operation, const struct request *request, const struct buffer *answer)
{
	const struct buffer *cipher =
		operation->kind == OPERATION_ENCRYPT ? answer : &request->input;

	if (answer->length != request->input.length)
		return CKR_DEVICE_ERROR;
	if (operation->mechanism->scheme == SCHEME_AES_CTR)
		count_up(&operation->parameter, answer->length / AES_BLOCK);
	else
		memcpy(operation->parameter.iv, cipher->data + cipher->length - AES_BLOCK,
			AES_BLOCK);
	return CKR_OK;
}
