/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Measures look-ups and lists of a great store through the daemon's private socket. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/client.h"
#include "common/alloc.h"

#define REPETITIONS 200
#define FIRST_CARD  INT64_C(50000000)
#define EMPLOYEE    "/org/tessera1/template/employee"

/* What a measured call is about; `number` picks another card each time. */
struct measured {
	const char *name;
	double limit_ms;
	json_t *(*call)(struct client *client, int64_t number, struct error *error);
};

static int64_t cards = 1000000;
static char **certificates; /* serial numbers that are there */

static json_t *find(struct client *client, const char *field, const char *text, const char *match,
	struct error *error)
{
	return CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "FindCredentials", error,
		CLIENT_STRING(field), CLIENT_STRING(text), CLIENT_STRING(match), CLIENT_STRING(""),
		CLIENT_UINT32(100));
}

static json_t *by_serial(struct client *client, int64_t number, struct error *error)
{
	_cleanup_free_ char *serial = xasprintf("yubikey-%08" PRId64, FIRST_CARD + number);

	return CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "FindCredential", error,
		CLIENT_STRING(serial));
}

static json_t *by_holder(struct client *client, int64_t number, struct error *error)
{
	_cleanup_free_ char *address = xasprintf("User%07" PRId64 "@example.org", number);

	return find(client, "holder.email", address, "exact", error);
}

static json_t *by_holder_prefix(struct client *client, int64_t number, struct error *error)
{
	_cleanup_free_ char *address = xasprintf("user%05" PRId64, number / 100);

	return find(client, "holder.email", address, "prefix", error);
}

static json_t *by_certificate(struct client *client, int64_t number, struct error *error)
{
	return find(client, "certificate", certificates[number % REPETITIONS], "exact", error);
}

static json_t *card_page(struct client *client, int64_t number, struct error *error)
{
	return CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "ListCredentials", error,
		CLIENT_STRING("active"), CLIENT_INT64(number), CLIENT_UINT32(100));
}

static json_t *card_properties(struct client *client, int64_t number, struct error *error)
{
	_cleanup_free_ char *path = xasprintf("/org/tessera1/credential/%" PRId64, number);

	return CLIENT_CALL(client, path, "org.freedesktop.DBus.Properties", "GetAll", error,
		CLIENT_STRING(CLIENT_CREDENTIAL));
}

static json_t *audit(struct client *client, json_t *filter, int64_t after, struct error *error)
{
	json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "ListAudit", error,
		CLIENT_FIELDS(filter), CLIENT_INT64(after), CLIENT_UINT32(100));

	json_decref(filter);
	return answer;
}

static json_t *audit_page(struct client *client, int64_t number, struct error *error)
{
	return audit(client, NULL, number, error);
}

static json_t *audit_newest(struct client *client, int64_t number, struct error *error)
{
	(void)number;
	return audit(client, json_pack("{s:s}", "order", "newest"), 0, error);
}

static json_t *audit_card(struct client *client, int64_t number, struct error *error)
{
	_cleanup_free_ char *serial = xasprintf("yubikey-%08" PRId64, FIRST_CARD + number);

	return audit(client, json_pack("{s:s}", "card", serial), 0, error);
}

static json_t *audit_caller(struct client *client, int64_t number, struct error *error)
{
	_cleanup_free_ char *caller = xasprintf("uid=%" PRId64, 1000 + number % 500);

	return audit(client, json_pack("{s:s,s:s}", "actor", caller, "order", "newest"), 0, error);
}

static json_t *audit_failed(struct client *client, int64_t number, struct error *error)
{
	return audit(client, json_pack("{s:s}", "outcome", "PinWrong"), number, error);
}

static json_t *audit_time(struct client *client, int64_t number, struct error *error)
{
	int64_t since = time(NULL) - number % 500 * 86400;
	_cleanup_free_ char *from = xasprintf("%" PRId64 "000000", since);
	_cleanup_free_ char *until = xasprintf("%" PRId64 "000000", since + 86400);

	return audit(client,
		json_pack("{s:s,s:s,s:s}", "operation", "unblock", "since", from, "until", until),
		0, error);
}

/* The newest version with another comment, which all cards would have to follow. */
static char *next_version(struct client *client, struct error *error)
{
	json_t *answer = CLIENT_CALL(
		client, EMPLOYEE, CLIENT_TEMPLATE, "GetVersion", error, CLIENT_INT64(0));
	json_t *document = json_loads(json_string_value(json_array_get(answer, 0)), 0, NULL);

	json_object_set_new(document, "comment", json_string("another one"));
	char *text = json_dumps(document, JSON_COMPACT);
	json_decref(document);
	json_decref(answer);
	return text;
}

static json_t *plan(struct client *client, int64_t number, struct error *error)
{
	_cleanup_free_ char *document = next_version(client, error);

	(void)number;
	return document ? CLIENT_CALL(client, EMPLOYEE, CLIENT_TEMPLATE, "Plan", error,
				  CLIENT_STRING(document))
			: NULL;
}

static json_t *version_page(struct client *client, int64_t number, struct error *error)
{
	return CLIENT_CALL(client, EMPLOYEE, CLIENT_TEMPLATE, "ListCards", error, CLIENT_INT64(1),
		CLIENT_INT64(number), CLIENT_UINT32(100));
}

static json_t *drift_page(struct client *client, int64_t number, struct error *error)
{
	return CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "ListDrift", error,
		CLIENT_STRING(""), CLIENT_INT64(number), CLIENT_UINT32(100));
}

static const struct measured list[] = {
	{"find a card by its serial", 2, by_serial},
	{"find by a holder's field", 2, by_holder},
	{"find 100 by its beginning", 10, by_holder_prefix},
	{"find by a certificate's serial", 2, by_certificate},
	{"100 active cards", 10, card_page},
	{"one card's properties", 10, card_properties},
	{"100 audit records", 10, audit_page},
	{"100 newest audit records", 10, audit_newest},
	{"audit records of a card", 10, audit_card},
	{"100 newest of a user", 10, audit_caller},
	{"100 with a wrong PIN", 10, audit_failed},
	{"100 of an operation on a day", 10, audit_time},
	{"100 cards of a version", 10, version_page},
	{"drift of a page of cards", 100, drift_page},
	{"plan for all cards", 1000, plan},
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *one, const void *other)
{
	double difference = *(const double *)one - *(const double *)other;

	return difference < 0 ? -1 : difference > 0;
}

static json_t *must(json_t *answer, const struct error *error)
{
	if (!answer) {
		fprintf(stderr, "store-use: %s\n", error_message(error));
		exit(EXIT_FAILURE);
	}
	return answer;
}

/* Another card each time, all over the store. */
static int64_t pick(int repetition)
{
	return 1 + (int64_t)repetition * 7919 * 613 % cards;
}

static bool measure(struct client *client, const struct measured *measured)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	double times[REPETITIONS], sum = 0;
	size_t found = 0;

	for (int i = 0; i < REPETITIONS; i++) {
		double start = now_ms();
		json_t *answer = must(measured->call(client, pick(i), &error), &error);
		times[i] = now_ms() - start;
		sum += times[i];
		found += json_array_size(json_array_get(answer, 0));
		json_decref(answer);
	}
	qsort(times, REPETITIONS, sizeof(double), compare);
	bool good = times[REPETITIONS / 2] < measured->limit_ms;
	printf("  %-32s %8.3f %8.3f %8.3f   < %4.0f ms %s  (%zu found)\n", measured->name,
		times[REPETITIONS / 2], times[REPETITIONS * 95 / 100], times[REPETITIONS - 1],
		measured->limit_ms, good ? "yes" : "NO", found / REPETITIONS);
	return good;
}

static void read_certificates(struct client *client)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	certificates = xcalloc(REPETITIONS, sizeof(*certificates));
	for (int i = 0; i < REPETITIONS; i++) {
		json_t *answer = must(card_properties(client, pick(i), &error), &error);
		const json_t *all = json_object_get(json_array_get(answer, 0), "Certificates");
		certificates[i] =
			xstrdup(json_string_value(json_array_get(json_array_get(all, 0), 1)));
		json_decref(answer);
		if (!certificates[i])
			certificates[i] = xstrdup("none");
	}
}

int main(int argc, char **argv)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	bool good = true;

	if (argc < 2 || argc > 3 || argv[1][0] == '-') {
		puts("Usage: store-use SOCKET [CARDS]\n"
		     "Measures a store that store-generate filled: median, 95th percentile and "
		     "maximum\nin milliseconds; the limit is compared with the median.");
		return 2;
	}
	if (argc == 3)
		cards = atoll(argv[2]);
	struct client *client = client_connect(argv[1], false, &error);
	if (!client) {
		fprintf(stderr, "store-use: %s\n", error_message(&error));
		return EXIT_FAILURE;
	}
	read_certificates(client);
	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		good = measure(client, &list[i]) && good;
	for (int i = 0; i < REPETITIONS; i++)
		free(certificates[i]);
	free(certificates);
	client_free(client);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
