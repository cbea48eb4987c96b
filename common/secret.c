/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/secret.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* One mapping per secret: there are few of them, and a page is unmapped with its contents. */
bool secret_allocate(struct secret *secret, size_t length)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t mapped = (length / page + 1) * page;

	secret_clear(secret);
	void *data = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return false;
	/* Locking may be refused by a limit; the secret is still kept out of dumps. */
	(void)mlock(data, mapped);
	(void)madvise(data, mapped, MADV_DONTDUMP);
	*secret = (struct secret){.data = data, .length = length, .mapped = mapped};
	return true;
}

bool secret_set(struct secret *secret, const void *data, size_t length)
{
	struct secret fresh = SECRET_INIT;

	if (!secret_allocate(&fresh, length))
		return false;
	if (length)
		memcpy(fresh.data, data, length);
	secret_move(secret, &fresh);
	return true;
}

bool secret_copy(struct secret *to, const struct secret *from)
{
	if (!from->data) {
		secret_clear(to);
		return true;
	}
	return secret_set(to, from->data, from->length);
}

void secret_move(struct secret *to, struct secret *from)
{
	secret_clear(to);
	*to = *from;
	*from = (struct secret)SECRET_INIT;
}

void secret_truncate(struct secret *secret, size_t length)
{
	if (length >= secret->length)
		return;
	explicit_bzero(secret->data + length, secret->length - length);
	secret->length = length;
}

bool secret_equal(const struct secret *one, const struct secret *other)
{
	uint8_t difference = 0;

	if (one->length != other->length)
		return false;
	for (size_t i = 0; i < one->length; i++)
		difference |= one->data[i] ^ other->data[i];
	return difference == 0;
}

void secret_clear(struct secret *secret)
{
	if (secret->data) {
		explicit_bzero(secret->data, secret->mapped);
		munmap(secret->data, secret->mapped);
	}
	*secret = (struct secret)SECRET_INIT;
}

void secret_protect_process(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	prctl(PR_SET_DUMPABLE, 0);
}
