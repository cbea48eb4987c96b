/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys/kdf.h"

#include <string.h>

#include "common/buffer.h"

#define MAC_LENGTH 16

bool kdf_counter(kdf_prf prf, void *prf_context, const uint8_t *fixed, size_t fixed_length,
	struct secret *output, struct error *error)
{
	uint8_t mac[MAC_LENGTH];
	bool done = true;

	if (output->length == 0 || output->length > UINT16_MAX)
		return error_set(
			error, ERROR_INVALID_ARGUMENT, "cannot derive %zu bytes", output->length);
	for (size_t at = 0; at < output->length && done; at += MAC_LENGTH) {
		_cleanup_buffer_ struct buffer block = BUFFER_INIT;
		size_t left = output->length - at;

		buffer_append_u32(&block, (uint32_t)(at / MAC_LENGTH + 1));
		buffer_append(&block, fixed, fixed_length);
		done = block.failed ? error_set(error, ERROR_FAILED, "out of memory")
				    : prf(prf_context, block.data, block.length, mac, error);
		if (done)
			memcpy(output->data + at, mac, left < MAC_LENGTH ? left : MAC_LENGTH);
	}
	explicit_bzero(mac, sizeof(mac));
	return done;
}
