/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection/memory.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "common/alloc.h"
#include "common/buffer.h"

#define TOKENS_MAX   64 /* the one that ends first makes room */
#define KEY_LENGTH   32
#define NOTES_MAX    256
#define NOTE_SECONDS 600
#define NAME_LENGTH  16

struct kept {
	char *key;
	struct secret token;
	int64_t end; /* CLOCK_BOOTTIME, which sleeping does not stop */
};

struct note {
	char *name, *purpose, *text;
	int64_t end;
};

struct connection_memory {
	struct secret mac_key; /* of the tokens' keys; set once */
	pthread_mutex_t lock;  /* guards what follows; nothing is asked under it */
	struct kept kept[TOKENS_MAX];
	size_t count;
	struct note notes[NOTES_MAX]; /* the next one takes the oldest one's place */
	size_t next_note;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return time.tv_sec;
}

struct connection_memory *connection_memory_new(void)
{
	struct connection_memory *memory = xnew(struct connection_memory);

	pthread_mutex_init(&memory->lock, NULL);
	if (!secret_allocate(&memory->mac_key, KEY_LENGTH) ||
		RAND_bytes(memory->mac_key.data, KEY_LENGTH) != 1)
		abort();
	return memory;
}

static void kept_clear(struct kept *kept)
{
	free(kept->key);
	secret_clear(&kept->token);
	*kept = (struct kept){0};
}

static void note_clear(struct note *note)
{
	free(note->name);
	free(note->purpose);
	free(note->text);
	*note = (struct note){0};
}

void connection_memory_free(struct connection_memory *memory)
{
	if (!memory)
		return;
	for (size_t i = 0; i < memory->count; i++)
		kept_clear(&memory->kept[i]);
	for (size_t i = 0; i < NOTES_MAX; i++)
		note_clear(&memory->notes[i]);
	secret_clear(&memory->mac_key);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

/* Each text with its length before it: no two lists give the same bytes. */
static void append_text(struct buffer *buffer, const void *text, size_t length)
{
	buffer_append_u32(buffer, (uint32_t)length);
	buffer_append(buffer, text, length);
}

/* --- tokens --- */

char *connection_memory_key(struct connection_memory *memory, const char *const texts[],
	size_t count, const struct secret *secret)
{
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT_WIPE;
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	for (size_t i = 0; i < count; i++)
		append_text(&bytes, texts[i] ? texts[i] : "", texts[i] ? strlen(texts[i]) : 0);
	append_text(&bytes, secret->data, secret->length);
	if (bytes.failed || !HMAC(EVP_sha256(), memory->mac_key.data, (int)memory->mac_key.length,
				    bytes.data, bytes.length, mac, &length))
		abort();
	char *hex = hex_encode(mac, length);
	if (!hex)
		abort();
	return hex;
}

/* The lock is held, here and below. */
static struct kept *find(struct connection_memory *memory, const char *key)
{
	for (size_t i = 0; i < memory->count; i++) {
		if (strcmp(memory->kept[i].key, key) == 0)
			return &memory->kept[i];
	}
	return NULL;
}

static void remove_kept(struct connection_memory *memory, struct kept *kept)
{
	kept_clear(kept);
	*kept = memory->kept[--memory->count];
	memory->kept[memory->count] = (struct kept){0};
}

static struct kept *ends_first(struct connection_memory *memory)
{
	struct kept *first = &memory->kept[0];

	for (size_t i = 1; i < memory->count; i++) {
		if (memory->kept[i].end < first->end)
			first = &memory->kept[i];
	}
	return first;
}

bool connection_memory_find(struct connection_memory *memory, const char *key, struct secret *token)
{
	pthread_mutex_lock(&memory->lock);
	struct kept *kept = find(memory, key);
	bool found = kept && kept->end > now() && secret_copy(token, &kept->token);

	if (kept && !found)
		remove_kept(memory, kept);
	pthread_mutex_unlock(&memory->lock);
	return found;
}

void connection_memory_keep(struct connection_memory *memory, const char *key,
	const struct secret *token, int64_t seconds)
{
	struct kept kept = {.end = now() + seconds};

	if (seconds <= 0 || !secret_copy(&kept.token, token))
		return;
	kept.key = xstrdup(key);
	pthread_mutex_lock(&memory->lock);
	struct kept *old = find(memory, key);
	if (!old && memory->count == TOKENS_MAX)
		old = ends_first(memory);
	if (old)
		remove_kept(memory, old);
	memory->kept[memory->count++] = kept;
	pthread_mutex_unlock(&memory->lock);
}

void connection_memory_drop(
	struct connection_memory *memory, const char *key, const struct secret *token)
{
	pthread_mutex_lock(&memory->lock);
	struct kept *kept = find(memory, key);

	if (kept && secret_equal(&kept->token, token))
		remove_kept(memory, kept);
	pthread_mutex_unlock(&memory->lock);
}

/* --- notes --- */

char *connection_memory_note(
	struct connection_memory *memory, const char *purpose, const char *text)
{
	uint8_t name[NAME_LENGTH];

	if (RAND_bytes(name, sizeof(name)) != 1)
		abort();
	char *hex = hex_encode(name, sizeof(name));
	pthread_mutex_lock(&memory->lock);
	struct note *note = &memory->notes[memory->next_note];
	memory->next_note = (memory->next_note + 1) % NOTES_MAX;
	note_clear(note);
	*note = (struct note){xstrdup(hex), xstrdup(purpose), xstrdup(text), now() + NOTE_SECONDS};
	pthread_mutex_unlock(&memory->lock);
	return hex;
}

char *connection_memory_noted(
	struct connection_memory *memory, const char *purpose, const char *name)
{
	char *text = NULL;

	pthread_mutex_lock(&memory->lock);
	for (size_t i = 0; i < NOTES_MAX && !text; i++) {
		const struct note *note = &memory->notes[i];
		if (note->name && strcmp(note->name, name) == 0 &&
			strcmp(note->purpose, purpose) == 0 && note->end > now())
			text = xstrdup(note->text);
	}
	pthread_mutex_unlock(&memory->lock);
	return text;
}
