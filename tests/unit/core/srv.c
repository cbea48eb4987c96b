/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions to a real DNS server on loopback (tests/servers/dns), and answers that no server gives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
#include "common/buffer.h"
#include "core/srv.h"
#include "lib/scratch.h"

#define SERVER "127.0.0.1:15353"

static char *folder;
static pid_t server;

static const char zone[] = "_ldap._tcp.dc._msdcs.lab.test SRV 10 100 389 dc2.lab.test\n"
			   "_ldap._tcp.dc._msdcs.lab.test SRV 0 100 389 dc1.lab.test\n"
			   "_ldap._tcp.dc._msdcs.lab.test SRV 20 0 636 dc3.lab.test\n"
			   "_ldap._tcp.away.test SRV 0 0 389 .\n"
			   "_ldap._tcp.zero.test SRV 0 0 0 dc1.lab.test\n"
			   "_ldap._tcp.long.test SRV 0 0 389 dc1.lab.test\n"
			   "_ldap._tcp.long.test is truncated\n"
			   "_ldap._tcp.silent.test is silent\n"
			   "_ldap._tcp.refused.test is refused\n"
			   "_ldap._tcp.garbage.test SRV 0 0 389 dc1.lab.test\n"
			   "_ldap._tcp.garbage.test is garbage\n"
			   "dc1.lab.test A 127.0.0.1\n";

static bool shell(const char *line)
{
	_cleanup_free_ char *command = xasprintf("cd '%s' && { %s\n}", folder, line);

	return system(command) == 0;
}

static void write_zone(void)
{
	_cleanup_free_ char *path = xasprintf("%s/zone", folder);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(zone, file);
	for (int i = 0; i < 200; i++)
		fprintf(file, "_ldap._tcp.many.test SRV %d 0 389 dc%d.many.test\n", 200 - i, i);
	fclose(file);
}

static int start(void **state)
{
	folder = scratch_new();
	write_zone();
	server = fork();
	if (server == 0) {
		_cleanup_free_ char *line = xasprintf(
			"exec '%s/tests/servers/dns' '%s/zone' 15353 >'%s/log' 2>&1 </dev/null",
			SOURCE_FOLDER, folder, folder);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(1);
	}
	for (int i = 0; i < 3000 && !shell("grep -q ready log 2>/dev/null"); i++)
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	(void)state;
	return shell("grep -q ready log") ? 0 : 1;
}

static int stop(void **state)
{
	(void)state;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	scratch_free(folder);
	return 0;
}

/* --- questions --- */

static void servers_come_by_priority(void **state)
{
	static const struct srv_target wanted[] = {{"dc1.lab.test", 389, 0, 0},
		{"dc2.lab.test", 389, 0, 0}, {"dc3.lab.test", 636, 0, 0}};
	_cleanup_srv_targets_ struct srv_targets targets = SRV_TARGETS_INIT;

	(void)state;
	assert_true(srv_find("_ldap._tcp.dc._msdcs.lab.test", SERVER, 5000, &targets, NULL));
	assert_int_equal(targets.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(targets.items[i].host, wanted[i].host);
		assert_int_equal(targets.items[i].port, wanted[i].port);
	}
}

static void a_long_answer_comes_by_tcp(void **state)
{
	_cleanup_srv_targets_ struct srv_targets targets = SRV_TARGETS_INIT;

	(void)state;
	assert_true(srv_find("_ldap._tcp.long.test", SERVER, 5000, &targets, NULL));
	assert_string_equal(targets.items[0].host, "dc1.lab.test");
}

static void the_first_of_many_are_told(void **state)
{
	_cleanup_srv_targets_ struct srv_targets targets = SRV_TARGETS_INIT;

	(void)state;
	assert_true(srv_find("_ldap._tcp.many.test", SERVER, 5000, &targets, NULL));
	assert_int_equal(targets.count, SRV_TARGETS_MAX);
	assert_string_equal(targets.items[0].host, "dc199.many.test");
	assert_int_equal(targets.items[SRV_TARGETS_MAX - 1].priority, SRV_TARGETS_MAX);
}

static void what_is_not_there_is_said(void **state)
{
	static const struct {
		const char *name, *server;
		enum error_code code;
		const char *text;
	} cases[] = {
		{"_ldap._tcp.none.test", SERVER, ERROR_NOT_FOUND, "no SRV record _ldap._tcp.none"},
		{"dc1.lab.test", SERVER, ERROR_NOT_FOUND, "no SRV record"},
		{"_ldap._tcp.away.test", SERVER, ERROR_NOT_FOUND, "no server has"},
		{"_ldap._tcp.zero.test", SERVER, ERROR_NOT_FOUND, "no server has"},
		{"_ldap._tcp.silent.test", SERVER, ERROR_TIMEOUT, "no DNS server answers"},
		{"_ldap._tcp.lab.test", "127.0.0.1:15354", ERROR_TIMEOUT, "no DNS server"},
		{"_ldap._tcp.refused.test", SERVER, ERROR_TIMEOUT, "no DNS server"},
		{"_ldap._tcp.garbage.test", SERVER, ERROR_NETWORK_FAILED, "malformed"},
		{"_ldap._tcp..test", SERVER, ERROR_INVALID_ARGUMENT, "no DNS name"},
		{"_ldap._tcp.lab.test", "dns.lab.test", ERROR_INVALID_ARGUMENT, "no address"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_srv_targets_ struct srv_targets targets = SRV_TARGETS_INIT;
		_cleanup_error_ struct error error = ERROR_INIT;
		if (srv_find(cases[i].name, cases[i].server, 1000, &targets, &error))
			fail_msg("%s is found", cases[i].name);
		if (error.code != cases[i].code || !strstr(error.message, cases[i].text))
			fail_msg("%s: %s", cases[i].name, error.message);
		assert_int_equal(targets.count, 0);
	}
}

static void silence_takes_no_longer_than_allowed(void **state)
{
	_cleanup_srv_targets_ struct srv_targets targets = SRV_TARGETS_INIT;
	struct timespec before, after;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_false(srv_find("_ldap._tcp.silent.test", SERVER, 3000, &targets, NULL));
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, 0, 4);
}

/* --- texts --- */

static void addresses_of_dns_servers(void **state)
{
	static const char *const good[] = {"192.0.2.53", "192.0.2.53:5353", "::1", "[::1]",
		"[2001:db8::53]:5353", "127.0.0.1:65535"};
	static const char *const bad[] = {"", "dns", "192.0.2", "192.0.2.53:", "192.0.2.53:0",
		"192.0.2.53:65536", "192.0.2.53:53x", "[::1", "[::1]5353", "[::1]:", "[192.0.2.53]",
		"[]", ":53", "192.0.2.53: 53",
		"::1:53:53:::", "1111:1111:1111:1111:1111:1111:1111:1111:1111", "192.0.2.53:-1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!srv_server_is_valid(good[i]))
			fail_msg("'%s' is refused", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (srv_server_is_valid(bad[i]))
			fail_msg("'%s' is taken", bad[i]);
}

static void names_of_hosts(void **state)
{
	static const char *const bad[] = {"", ".", "a..b", ".a", "a.", "a b", "a/b", "a\\046b", "ä",
		"a@b", "0123456789012345678901234567890123456789012345678901234567890123"};
	_cleanup_free_ char *longest = xcalloc(1, 256);

	(void)state;
	assert_true(srv_name_is_valid("dc1.lab.test"));
	assert_true(srv_name_is_valid("_ldap._tcp.Default-First-Site._sites.lab.test"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (srv_name_is_valid(bad[i]))
			fail_msg("'%s' is taken", bad[i]);
	for (size_t i = 0; i < 254; i++)
		longest[i] = i % 2 ? '.' : 'a';
	assert_false(srv_name_is_valid(longest));
	longest[253] = '\0';
	assert_true(srv_name_is_valid(longest));
}

/* --- answers --- */

static const uint8_t header[] = {0, 1, 0x81, 0x80, 0, 0, 0, 1, 0, 0, 0, 0};

/* An answer of one record of the root, with such data. */
static struct buffer answer_of(uint16_t type, const void *data, size_t length)
{
	struct buffer answer = BUFFER_INIT;

	buffer_append(&answer, header, sizeof(header));
	buffer_append_u8(&answer, 0);
	buffer_append_u16(&answer, type);
	buffer_append_u16(&answer, 1);
	buffer_append_u32(&answer, 60);
	buffer_append_u16(&answer, (uint16_t)length);
	buffer_append(&answer, data, length);
	return answer;
}

static void records_are_taken_apart(void **state)
{
	static const struct {
		const char *data;
		size_t length;
		int count; /* -1: malformed */
	} cases[] = {
		{"\0\1\0\2\1\205\3dc1\0", 11, 1},
		{"\0\1\0\2\1\205\3dc1\0x", 12, -1}, /* something behind the name */
		{"\0\1\0\2\1\205\3dc1", 10, -1},    /* the name has no end */
		{"\0\1\0\2\1\205", 6, -1},	    /* no name */
		{"\0\1\0", 3, -1}, {"", 0, -1},
		{"\0\1\0\2\1\205\300\35", 8, -1},  /* a name that points to itself */
		{"\0\1\0\2\1\205\300\377", 8, -1}, /* and behind the end */
		{"\0\1\0\2\1\205\300\14", 8, 0},   /* and to the root */
		{"\0\1\0\2\1\205\3d 1\0", 11, 0},  /* no host's */
		{"\0\1\0\2\1\205\3d\0\061\0", 11, 0}, {"\0\1\0\2\1\205\3d.1\0", 11, 0},
		{"\0\1\0\2\0\0\3dc1\0", 11, 0}, /* no port */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_srv_targets_ struct srv_targets targets = SRV_TARGETS_INIT;
		_cleanup_(buffer_clear) struct buffer answer =
			answer_of(33, cases[i].data, cases[i].length);
		bool is_good = srv_parse(answer.data, answer.length, &targets);
		if ((is_good ? (int)targets.count : -1) != cases[i].count)
			fail_msg("case %zu: %d, %zu", i, is_good, targets.count);
	}
}

static void other_records_are_none_of_ours(void **state)
{
	_cleanup_srv_targets_ struct srv_targets targets = SRV_TARGETS_INIT;
	_cleanup_(buffer_clear) struct buffer answer = answer_of(5, "\3dc1\0", 5);

	(void)state;
	assert_true(srv_parse(answer.data, answer.length, &targets));
	assert_int_equal(targets.count, 0);
	for (size_t length = 0; length < answer.length; length++) {
		_cleanup_free_ uint8_t *part = xmemdup(answer.data, length);
		assert_false(srv_parse(part, length, &targets));
	}
}

/* --- the order --- */

static uint32_t chosen;

static uint32_t draw_chosen(uint32_t limit)
{
	return chosen < limit ? chosen : limit;
}

static void put(struct srv_targets *targets, const char *host, uint16_t priority, uint16_t weight)
{
	targets->items =
		xreallocarray(targets->items, targets->count + 1, sizeof(targets->items[0]));
	targets->items[targets->count++] = (struct srv_target){
		.host = xstrdup(host), .port = 389, .priority = priority, .weight = weight};
}

static char *order_when(uint32_t number)
{
	_cleanup_srv_targets_ struct srv_targets targets = SRV_TARGETS_INIT;
	char *order = xstrdup("");

	put(&targets, "x", 1, 9);
	put(&targets, "b", 0, 60);
	put(&targets, "a", 0, 0);
	put(&targets, "c", 0, 40);
	chosen = number;
	srv_order(&targets, draw_chosen);
	for (size_t i = 0; i < targets.count; i++) {
		char *longer = xasprintf("%s%s", order, targets.items[i].host);
		free(order);
		order = longer;
	}
	return order;
}

static void weights_draw(void **state)
{
	static const struct {
		uint32_t number;
		const char *first;
	} cases[] = {{0, "a"}, {1, "b"}, {100, "c"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *order = order_when(cases[i].number);
		assert_int_equal(strlen(order), 4);
		assert_int_equal(order[3], 'x');
		/* Which of equal priority comes second depends on how they were sorted. */
		if (cases[i].number != 1 && order[0] != cases[i].first[0])
			fail_msg("%u: %s", cases[i].number, order);
		if (cases[i].number == 1)
			assert_true(order[0] == 'b' || order[0] == 'c');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_come_by_priority),
		cmocka_unit_test(a_long_answer_comes_by_tcp),
		cmocka_unit_test(the_first_of_many_are_told),
		cmocka_unit_test(what_is_not_there_is_said),
		cmocka_unit_test(silence_takes_no_longer_than_allowed),
		cmocka_unit_test(addresses_of_dns_servers),
		cmocka_unit_test(names_of_hosts),
		cmocka_unit_test(records_are_taken_apart),
		cmocka_unit_test(other_records_are_none_of_ours),
		cmocka_unit_test(weights_draw),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
