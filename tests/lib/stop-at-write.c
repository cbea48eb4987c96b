/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For LD_PRELOAD with tesserad: stops it at a write of its store, for a test that
 * then kills it. While there is a file TESSERA_STOP_FILE, the number N in it says
 * at which: each commit counts twice, once before its first byte is written and
 * once when it is on the disk. The file is gone when it has stopped.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define STORE "/tessera.db"

#define IN_PLACE_OF_LIBC __attribute__((visibility("default")))
IN_PLACE_OF_LIBC ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset);
IN_PLACE_OF_LIBC int fdatasync(int fd);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_writing; /* since the last time that all was on the disk */

/* The store itself, and its write-ahead log. */
static bool is_store(int fd)
{
	char link[64], path[4096];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return false;
	path[length] = 0;
	return strstr(path, STORE) && !strstr(path, "-shm");
}

/* Under the lock. */
static void count(void)
{
	const char *path = getenv("TESSERA_STOP_FILE");
	FILE *file = path ? fopen(path, "r+e") : NULL;
	unsigned number = 0;

	if (!file)
		return;
	if (fscanf(file, "%u", &number) == 1 && number <= 1) {
		unlink(path);
		kill(getpid(), SIGSTOP);
		while (true)
			pause(); /* if another thread takes the signal, not one byte further */
	}
	rewind(file);
	fprintf(file, "%u          \n", number - 1);
	fclose(file);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
	ssize_t (*real)(int, const void *, size_t, off64_t) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
	if (!is_store(fd))
		return real(fd, data, length, offset);
	pthread_mutex_lock(&lock);
	if (!is_writing)
		count();
	is_writing = true;
	pthread_mutex_unlock(&lock);
	return real(fd, data, length, offset);
}

int fdatasync(int fd)
{
	int (*real)(int) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	int result = real(fd);
	if (!is_store(fd))
		return result;
	pthread_mutex_lock(&lock);
	is_writing = false;
	count();
	pthread_mutex_unlock(&lock);
	return result;
}
