/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/kerberos-fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "lib/scratch.h"

static char *folder;
static pid_t parts[4];
static size_t part_count;

const char *kerberos_path(const char *name)
{
	static char *paths[64];
	_cleanup_free_ char *path = xasprintf("%s/%s", folder, name);
	size_t i = 0;

	while (i < ARRAY_SIZE(paths) - 1 && paths[i] && strcmp(paths[i], path) != 0)
		i++;
	if (!paths[i])
		paths[i] = steal_pointer(&path);
	return paths[i];
}

bool kerberos_run(const char *line)
{
	_cleanup_free_ char *command = xasprintf("cd '%s' && { %s\n} >>run.log 2>&1", folder, line);

	return system(command) == 0;
}

static void show_logs(void)
{
	_cleanup_free_ char *command = xasprintf("tail -n 30 '%s'/*.log >&2", folder);

	if (system(command) != 0)
		fprintf(stderr, "no logs\n");
}

/* A line of shell as a process that does not outlive this program. */
static void start(const char *name, const char *line)
{
	pid_t pid = fork();

	if (pid == 0) {
		_cleanup_free_ char *log = xasprintf("%s.log", name);
		int null = open("/dev/null", O_RDONLY);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chdir(folder) != 0)
			_exit(1);
		int output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(null, 0);
		dup2(output, 1);
		dup2(output, 2);
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(1);
	}
	parts[part_count++] = pid;
}

/* Until the line of shell succeeds; every part has to go on meanwhile. */
static void wait_until(const char *line)
{
	for (int i = 0; i < 3000 && !kerberos_run(line); i++) {
		struct timespec pause = {.tv_nsec = 20000000};
		nanosleep(&pause, NULL);
		for (size_t n = 0; n < part_count; n++) {
			if (waitpid(parts[n], NULL, WNOHANG) == 0)
				continue;
			show_logs();
			exit(1);
		}
	}
}

static void start_service(const char *name, int port, const char *options)
{
	_cleanup_free_ char *line = xasprintf(
		"exec '%s/tests/servers/kerberos-web' --port %d %s", SOURCE_FOLDER, port, options);
	_cleanup_free_ char *answers =
		xasprintf("bash -c ': </dev/tcp/127.0.0.1/%d' 2>/dev/null", port);

	start(name, line);
	wait_until(answers);
}

/* NAME.pem holds the key too; nodes.pem is what trusts those of the nodes. */
static const char certificates[] =
	"make() { name=$1; shift; openssl req -x509 -nodes -days 2 -subj /CN=localhost"
	" -addext subjectAltName=DNS:localhost -keyout $name.key -out $name.crt \"$@\" &&"
	" cat $name.crt $name.key >$name.pem; }\n"
	"ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256'\n"
	"make sha256 $ec -sha256 && make sha384 $ec -sha384 && make sha512 $ec -sha512 &&"
	" make none -newkey ed25519 && make sha1 $ec -sha1 &&"
	" make pss -newkey rsa:2048 -sha384 -sigopt rsa_padding_mode:pss &&"
	" cat sha256.crt sha384.crt sha512.crt none.crt >nodes.pem";

void kerberos_start(void)
{
	folder = scratch_new();
	if (!kerberos_run(certificates)) {
		show_logs();
		exit(1);
	}
	_cleanup_free_ char *kdc =
		xasprintf("exec '%s/tests/servers/kdc' . %d", SOURCE_FOLDER, KDC_PORT);
	start("kdc", kdc);
	setenv("KRB5_CONFIG", kerberos_path("krb5.conf"), 1);
	setenv("KRB5CCNAME", kerberos_path("no-cache"), 1);
	wait_until("test -e ready && kinit -c FILE:tickets -k -t svc.keytab svc");
	start_service("service", SERVICE_PORT, "--keytab http.keytab --certificate sha256.pem");
	start_service("nodes", NODES_PORT,
		"--keytab http.keytab --certificate sha256.pem --certificate sha384.pem"
		" --certificate sha512.pem --certificate none.pem");
	start_service("old", OLD_PORT, "--keytab http-old.keytab --certificate sha256.pem");
}

void kerberos_stop(void)
{
	for (size_t i = 0; i < part_count; i++) {
		kill(parts[i], SIGKILL);
		waitpid(parts[i], NULL, 0);
	}
	scratch_free(folder);
}
