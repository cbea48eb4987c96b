/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/state.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "common/alloc.h"
#include "common/tlv.h"

static const char magic[] = "TESSERA-VCARD-1\n";
#define FILE_MAXIMUM (1 << 20)

/* Tags of the state file. */
enum {
	TAG_SERIAL = 0xC1,
	TAG_PIN = 0xC2,
	TAG_PUK = 0xC3,
	TAG_MANAGEMENT = 0xC4,
	TAG_OBJECT = 0xC5,
	TAG_KEY = 0xC6,
	TAG_SCP11_KEY = 0xC7, /* this and the next: only if there is one */
	TAG_SCP11_CERTIFICATES = 0xC8,
};

struct card_key *state_key(struct state *state, uint8_t slot)
{
	for (size_t i = 0; i < STATE_KEY_COUNT; i++)
		if (slot && state->keys[i].slot == slot)
			return &state->keys[i];
	return NULL;
}

void state_drop_key(struct state *state, uint8_t slot)
{
	struct card_key *key = state_key(state, slot);

	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	*key = (struct card_key){0};
}

struct card_key *state_new_key(struct state *state, uint8_t slot)
{
	state_drop_key(state, slot);
	for (size_t i = 0; i < STATE_KEY_COUNT; i++) {
		if (state->keys[i].slot == 0) {
			state->keys[i].slot = slot;
			return &state->keys[i];
		}
	}
	return NULL;
}

struct card_object *state_object(struct state *state, uint32_t tag)
{
	for (size_t i = 0; i < STATE_OBJECT_COUNT; i++)
		if (tag && state->objects[i].tag == tag)
			return &state->objects[i];
	return NULL;
}

static struct card_object *free_object(struct state *state)
{
	for (size_t i = 0; i < STATE_OBJECT_COUNT; i++)
		if (state->objects[i].tag == 0)
			return &state->objects[i];
	return NULL;
}

bool state_put_object(struct state *state, uint32_t tag, const void *data, size_t length)
{
	struct card_object *object = state_object(state, tag);

	if (!object)
		object = free_object(state);
	if (!object)
		return false;
	buffer_clear(&object->data);
	object->tag = length ? tag : 0;
	buffer_append(&object->data, data, length);
	return !object->data.failed;
}

static void put_reference(struct buffer *out, uint32_t tag, const struct reference_data *reference)
{
	tlv_append_header(out, tag, STATE_REFERENCE_LENGTH + 2);
	buffer_append(out, reference->value, STATE_REFERENCE_LENGTH);
	buffer_append_u8(out, reference->tries_maximum);
	buffer_append_u8(out, reference->tries_left);
}

static void put_key(struct buffer *out, const struct card_key *key)
{
	unsigned char *der = NULL;
	int length = i2d_PrivateKey(key->pkey, &der);

	if (length <= 0) {
		out->failed = true;
		return;
	}
	tlv_append_header(out, TAG_KEY, (size_t)length + 5);
	buffer_append(out,
		(uint8_t[]){
			key->slot, key->algorithm, key->origin, key->pin_policy, key->touch_policy},
		5);
	buffer_append(out, der, (size_t)length);
	OPENSSL_clear_free(der, (size_t)length);
}

static void put_scp11(struct buffer *out, const struct state *state)
{
	const struct buffer *certificates = &state->scp11_certificates;
	unsigned char *der = NULL;
	int length = i2d_PrivateKey(state->scp11_key, &der);

	if (length <= 0) {
		out->failed = true;
		return;
	}
	tlv_append(out, TAG_SCP11_KEY, der, (size_t)length);
	tlv_append(out, TAG_SCP11_CERTIFICATES, certificates->data, certificates->length);
	OPENSSL_clear_free(der, (size_t)length);
}

static void put_state(struct buffer *out, const struct state *state)
{
	const struct management_key *management = &state->management;

	buffer_append_string(out, magic);
	tlv_append_header(out, TAG_SERIAL, 4);
	buffer_append_u32(out, state->serial);
	put_reference(out, TAG_PIN, &state->pin);
	put_reference(out, TAG_PUK, &state->puk);
	tlv_append_header(out, TAG_MANAGEMENT, (size_t)management->length + 2);
	buffer_append_u8(out, management->algorithm);
	buffer_append_u8(out, management->touch_policy);
	buffer_append(out, management->value, management->length);
	for (size_t i = 0; i < STATE_OBJECT_COUNT; i++) {
		const struct card_object *object = &state->objects[i];
		if (object->tag == 0)
			continue;
		tlv_append_header(out, TAG_OBJECT, object->data.length + 4);
		buffer_append_u32(out, object->tag);
		buffer_append(out, object->data.data, object->data.length);
	}
	for (size_t i = 0; i < STATE_KEY_COUNT; i++)
		if (state->keys[i].slot)
			put_key(out, &state->keys[i]);
	if (state->scp11_key)
		put_scp11(out, state);
}

static bool get_reference(struct reader value, struct reference_data *reference)
{
	const uint8_t *bytes = reader_bytes(&value, STATE_REFERENCE_LENGTH);

	if (bytes)
		memcpy(reference->value, bytes, STATE_REFERENCE_LENGTH);
	reference->tries_maximum = reader_u8(&value);
	reference->tries_left = reader_u8(&value);
	return !value.failed;
}

static bool get_management(struct reader value, struct management_key *management)
{
	management->algorithm = reader_u8(&value);
	management->touch_policy = reader_u8(&value);
	size_t length = reader_left(&value);
	if (value.failed || length > STATE_MANAGEMENT_KEY_LENGTH)
		return false;
	management->length = (uint8_t)length;
	memcpy(management->value, reader_bytes(&value, length), length);
	return true;
}

static bool get_object(struct reader value, struct state *state)
{
	uint32_t tag = reader_u32(&value);
	size_t length = reader_left(&value);

	return !value.failed && state_put_object(state, tag, reader_bytes(&value, length), length);
}

static bool get_key(struct reader value, struct state *state)
{
	const uint8_t *header = reader_bytes(&value, 5);
	size_t length = reader_left(&value);
	const uint8_t *der = reader_bytes(&value, length);
	struct card_key *key = header && header[0] ? state_new_key(state, header[0]) : NULL;

	if (!key)
		return false;
	key->algorithm = header[1];
	key->origin = header[2];
	key->pin_policy = header[3];
	key->touch_policy = header[4];
	key->pkey = d2i_AutoPrivateKey(NULL, &der, (long)length);
	return key->pkey != NULL;
}

static bool get_scp11_key(struct reader value, struct state *state)
{
	size_t length = reader_left(&value);
	const uint8_t *der = reader_bytes(&value, length);

	EVP_PKEY_free(state->scp11_key);
	state->scp11_key = d2i_AutoPrivateKey(NULL, &der, (long)length);
	return state->scp11_key != NULL;
}

static bool get_bytes(struct reader value, struct buffer *out)
{
	size_t length = reader_left(&value);

	buffer_append(out, reader_bytes(&value, length), length);
	return !out->failed;
}

static bool get_element(const struct tlv *element, struct state *state)
{
	struct reader value = element->value;

	switch (element->tag) {
	case TAG_SERIAL:
		state->serial = reader_u32(&value);
		return !value.failed;
	case TAG_PIN:
		return get_reference(value, &state->pin);
	case TAG_PUK:
		return get_reference(value, &state->puk);
	case TAG_MANAGEMENT:
		return get_management(value, &state->management);
	case TAG_OBJECT:
		return get_object(value, state);
	case TAG_KEY:
		return get_key(value, state);
	case TAG_SCP11_KEY:
		return get_scp11_key(value, state);
	case TAG_SCP11_CERTIFICATES:
		return get_bytes(value, &state->scp11_certificates);
	default:
		return false;
	}
}

static bool get_state(struct reader reader, struct state *state)
{
	const uint8_t *head = reader_bytes(&reader, strlen(magic));
	struct tlv element;

	if (!head || memcmp(head, magic, strlen(magic)) != 0)
		return false;
	while (tlv_next(&reader, &element))
		if (!get_element(&element, state))
			return false;
	return !reader.failed && state->management.length > 0;
}

static bool read_file(FILE *file, struct buffer *content)
{
	uint8_t block[4096];
	size_t count;

	while ((count = fread(block, 1, sizeof(block), file)) > 0 && content->length < FILE_MAXIMUM)
		buffer_append(content, block, count);
	explicit_bzero(block, sizeof(block));
	return !ferror(file) && feof(file) && !content->failed;
}

bool state_load(struct state *state, const char *path, struct error *error)
{
	_cleanup_buffer_ struct buffer content = BUFFER_INIT_WIPE;
	FILE *file = fopen(path, "re");

	if (!file)
		return error_set(error, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_STORE_FAILED,
			"%s: %s", path, strerror(errno));
	bool read = read_file(file, &content);
	fclose(file);
	if (!read || !get_state(reader_of(&content), state)) {
		state_clear(state);
		return error_set(
			error, ERROR_STORE_FAILED, "%s is not the state of a virtual card", path);
	}
	return true;
}

static bool write_all(int fd, const struct buffer *content)
{
	for (size_t done = 0; done < content->length;) {
		ssize_t count = write(fd, content->data + done, content->length - done);
		if (count < 0 && errno != EINTR)
			return false;
		if (count > 0)
			done += (size_t)count;
	}
	return fsync(fd) == 0;
}

static void sync_folder(const char *path)
{
	_cleanup_free_ char *copy = xstrdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static bool write_file(const char *path, const struct buffer *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return false;
	bool written = write_all(fd, content);
	return close(fd) == 0 && written;
}

bool state_save(const struct state *state, const char *path, struct error *error)
{
	_cleanup_buffer_ struct buffer content = BUFFER_INIT_WIPE;
	_cleanup_free_ char *temporary = xasprintf("%s.new", path);

	put_state(&content, state);
	if (content.failed)
		return error_set(error, ERROR_STORE_FAILED, "the card's state cannot be encoded");
	if (!write_file(temporary, &content) || rename(temporary, path) != 0) {
		int number = errno;
		unlink(temporary);
		return error_set(error, number == ENOSPC ? ERROR_STORE_FULL : ERROR_STORE_FAILED,
			"%s: %s", path, strerror(number));
	}
	sync_folder(path);
	return true;
}

void state_clear(struct state *state)
{
	for (size_t i = 0; i < STATE_KEY_COUNT; i++)
		EVP_PKEY_free(state->keys[i].pkey);
	EVP_PKEY_free(state->scp11_key);
	buffer_clear(&state->scp11_certificates);
	for (size_t i = 0; i < STATE_OBJECT_COUNT; i++)
		buffer_clear(&state->objects[i].data);
	explicit_bzero(state, sizeof(*state));
}
