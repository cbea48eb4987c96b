/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/srv.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <ctype.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/alloc.h"
#include "common/buffer.h"

/* What a message of DNS can be long over TCP (RFC 1035, 4.2.2). */
#define ANSWER_MAX	65535
#define NAME_MAX_LENGTH 253
#define TRIES		2

void srv_targets_clear(struct srv_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++)
		free(targets->items[i].host);
	free(targets->items);
	*targets = (struct srv_targets)SRV_TARGETS_INIT;
}

bool srv_name_is_valid(const char *text)
{
	size_t length = strlen(text), label = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '.' ? label == 0 : !isalnum(c) && c != '-' && c != '_')
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0 && length <= NAME_MAX_LENGTH;
}

/* --- the answer --- */

static void add(struct srv_targets *targets, const struct srv_target *target)
{
	targets->items =
		xreallocarray(targets->items, targets->count + 1, sizeof(targets->items[0]));
	targets->items[targets->count++] = *target;
}

/* One record's data: priority, weight, port, name (RFC 2782). Names that no host can have, the root
 * ("this service is not here") among them, are left out. */
static bool parse_record(const ns_msg *message, const ns_rr *record, struct srv_targets *targets)
{
	char host[NS_MAXDNAME];
	struct reader reader = READER_INIT(ns_rr_rdata(*record), ns_rr_rdlen(*record));
	struct srv_target target = {0};

	target.priority = reader_u16(&reader);
	target.weight = reader_u16(&reader);
	target.port = reader_u16(&reader);
	if (reader.failed || reader_left(&reader) == 0)
		return false;
	int used = ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message),
		reader.data + reader.position, host, sizeof(host));
	if (used < 0 || (size_t)used != reader_left(&reader))
		return false;
	size_t length = strlen(host);
	if (length > 1 && host[length - 1] == '.')
		host[length - 1] = '\0';
	if (target.port == 0 || !srv_name_is_valid(host))
		return true;
	target.host = xstrdup(host);
	add(targets, &target);
	return true;
}

bool srv_parse(const uint8_t *answer, size_t length, struct srv_targets *targets)
{
	ns_msg message;
	ns_rr record;

	srv_targets_clear(targets);
	if (length > ANSWER_MAX || ns_initparse(answer, (int)length, &message) != 0)
		return false;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		if (ns_parserr(&message, ns_s_an, i, &record) != 0)
			return false;
		if (ns_rr_type(record) == ns_t_srv && ns_rr_class(record) == ns_c_in &&
			!parse_record(&message, &record, targets))
			return false;
	}
	return true;
}

/* --- the order --- */

/* Records of weight 0 come first, so that they have their small chance (RFC 2782). */
static int by_priority(const void *one, const void *other)
{
	const struct srv_target *a = one, *b = other;

	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return (a->weight != 0) - (b->weight != 0);
}

/* Which of the first count is drawn: the first whose running sum of weights reaches the number. */
static size_t drawn(const struct srv_target *items, size_t count, uint32_t (*draw)(uint32_t limit))
{
	uint32_t sum = 0, running = 0;
	size_t i = 0;

	for (size_t n = 0; n < count; n++)
		sum += items[n].weight;
	uint32_t number = draw(sum);
	for (running = items[0].weight; running < number && i < count - 1;)
		running += items[++i].weight;
	return i;
}

/* Those behind the drawn one keep their places, so that weights of 0 stay in front. */
static void move_to_front(struct srv_target *items, size_t at)
{
	struct srv_target chosen = items[at];

	memmove(items + 1, items, at * sizeof(items[0]));
	items[0] = chosen;
}

void srv_order(struct srv_targets *targets, uint32_t (*draw)(uint32_t limit))
{
	struct srv_target *items = targets->items;

	if (targets->count == 0)
		return;
	qsort(items, targets->count, sizeof(items[0]), by_priority);
	for (size_t i = 0; i < targets->count; i++) {
		size_t end = i;
		while (end < targets->count && items[end].priority == items[i].priority)
			end++;
		move_to_front(items + i, drawn(items + i, end - i, draw));
	}
}

/* The bias of a remainder is of no weight here. */
static uint32_t draw_random(uint32_t limit)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return 0;
	return (uint32_t)(number % ((uint64_t)limit + 1));
}

/* --- the question --- */

/* "1.2.3.4", "1.2.3.4:53", "::1", "[::1]:53". */
static bool parse_server(const char *text, struct sockaddr_in6 *six, struct sockaddr_in *four)
{
	char host[INET6_ADDRSTRLEN] = "";
	const char *colon = strrchr(text, ':'), *port = "53";
	const char *start = text[0] == '[' ? text + 1 : text;
	const char *end = text + strlen(text);
	bool is_six = text[0] == '[' || (colon && strchr(text, ':') != colon);

	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] != '\0' && end[1] != ':'))
			return false;
		port = end[1] == ':' ? end + 2 : port;
	} else if (colon && !is_six) {
		end = colon;
		port = colon + 1;
	}
	char *rest = NULL;
	unsigned long number = isdigit((unsigned char)port[0]) ? strtoul(port, &rest, 10) : 0;
	if (number == 0 || number > 65535 || *rest != '\0' || (size_t)(end - start) >= sizeof(host))
		return false;
	memcpy(host, start, (size_t)(end - start));
	*six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)number)};
	*four = (struct sockaddr_in){
		.sin_family = is_six ? 0 : AF_INET, .sin_port = htons((uint16_t)number)};
	return inet_pton(is_six ? AF_INET6 : AF_INET, host,
		       is_six ? (void *)&six->sin6_addr : (void *)&four->sin_addr) == 1;
}

bool srv_server_is_valid(const char *text)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	return parse_server(text, &six, &four);
}

/* In glibc the place of an address of IPv6 is beside the list, whose entry has no family then. */
static bool use_server(struct __res_state *state, const char *text, struct error *error)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (!parse_server(text, &six, &four))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"'%.100s' is no address of a DNS server", text);
	/* What resolv.conf named is freed with the state: it stays behind our count. */
	free(state->_u._ext.nsaddrs[0]);
	state->_u._ext.nsaddrs[0] = four.sin_family == 0 ? xmemdup(&six, sizeof(six)) : NULL;
	state->nsaddr_list[0] = four;
	state->nscount = 1;
	return true;
}

static unsigned at_least_one(unsigned number)
{
	return number > 0 ? number : 1;
}

static void limit_time(struct __res_state *state, unsigned timeout_ms)
{
	unsigned servers = at_least_one((unsigned)state->nscount);

	/* The second try waits twice as long, divided among the servers. */
	state->retry = TRIES;
	state->retrans = (int)at_least_one(timeout_ms / 1000 / (servers + TRIES));
}

static bool fail(const char *name, int reason, struct error *error)
{
	if (reason == HOST_NOT_FOUND || reason == NO_DATA)
		return error_set(error, ERROR_NOT_FOUND, "DNS has no SRV record %s", name);
	if (reason == TRY_AGAIN)
		return error_set(
			error, ERROR_TIMEOUT, "no DNS server answers what SRV record %s has", name);
	return error_set(
		error, ERROR_NETWORK_FAILED, "DNS servers do not say what SRV record %s has", name);
}

static bool ask(struct __res_state *state, const char *name, struct srv_targets *targets,
	struct error *error)
{
	_cleanup_free_ uint8_t *answer = xcalloc(1, ANSWER_MAX);
	int length = res_nquery(state, name, ns_c_in, ns_t_srv, answer, ANSWER_MAX);

	if (length < 0)
		return fail(name, state->res_h_errno, error);
	if (length > ANSWER_MAX || !srv_parse(answer, (size_t)length, targets))
		return error_set(error, ERROR_NETWORK_FAILED,
			"DNS answers with a malformed SRV record %s", name);
	return targets->count > 0 ||
	       error_set(error, ERROR_NOT_FOUND,
		       "DNS says that no server has what SRV record %s is for", name);
}

static void cut(struct srv_targets *targets)
{
	while (targets->count > SRV_TARGETS_MAX)
		free(targets->items[--targets->count].host);
}

bool srv_find(const char *name, const char *server, unsigned timeout_ms,
	struct srv_targets *targets, struct error *error)
{
	struct __res_state state = {0};

	srv_targets_clear(targets);
	if (!srv_name_is_valid(name))
		return error_set(error, ERROR_INVALID_ARGUMENT, "'%.100s' is no DNS name", name);
	if (res_ninit(&state) != 0)
		return error_set(error, ERROR_FAILED, "resolv.conf cannot be read");
	bool found = !server || use_server(&state, server, error);
	if (found) {
		limit_time(&state, timeout_ms);
		found = ask(&state, name, targets, error);
	}
	res_nclose(&state);
	if (!found) {
		srv_targets_clear(targets);
		return false;
	}
	srv_order(targets, draw_random);
	cut(targets);
	return true;
}
