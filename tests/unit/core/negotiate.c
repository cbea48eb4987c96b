/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests as an account of Kerberos, with a real KDC and a service whose GSS-API is the real one.
 */
/* time limit: 300 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/pem.h>

#include "common/alloc.h"
#include "core/negotiate-private.h"
#include "lib/kerberos-fixture.h"

#define BODY "<a certificate request>"

static const char *url_of(int port, const char *path)
{
	static char url[100];

	snprintf(url, sizeof(url), "https://localhost:%d%s", port, path);
	return url;
}

static struct http_request request_of(const char *url, const struct http_negotiate *account)
{
	return (struct http_request){.method = HTTP_POST,
		.url = url,
		.ca_file = kerberos_path("nodes.pem"),
		.negotiate = account,
		.content_type = "text/xml",
		.body = BODY,
		.body_length = strlen(BODY),
		.answer_max = 65536,
		.timeout_ms = 60000};
}

static struct http_negotiate svc(void)
{
	return (struct http_negotiate){.keytab = kerberos_path("svc.keytab"), .principal = "svc"};
}

/* A number of the answer of kerberos-web; bool counts as one. */
static long fact(const struct http_answer *answer, const char *name)
{
	json_t *json = json_loadb((const char *)answer->body.data, answer->body.length, 0, NULL);
	json_t *value = json_object_get(json, name);
	long number =
		json_is_boolean(value) ? json_is_true(value) : (long)json_integer_value(value);

	json_decref(json);
	return number;
}

static void check_good(const struct http_answer *answer, const char *principal)
{
	json_t *json = json_loadb((const char *)answer->body.data, answer->body.length, 0, NULL);

	assert_int_equal(answer->status, 200);
	assert_true(answer->has_ticket);
	assert_string_equal(json_string_value(json_object_get(json, "principal")), principal);
	assert_int_equal(json_integer_value(json_object_get(json, "length")), strlen(BODY));
	json_decref(json);
}

/* A good request; the number of the service that `name` says. */
static long ask(struct http_pool *pool, int port, const char *path,
	const struct http_negotiate *account, const char *name)
{
	struct http_answer answer _cleanup_http_answer_ = HTTP_ANSWER_INIT;
	struct http_request request = request_of(url_of(port, path), account);
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!http_send(pool, &request, &answer, &error))
		fail_msg("%s", error_message(&error));
	check_good(&answer,
		strstr(account->principal, "agent") ? "agent@EXAMPLE.TEST" : "svc@EXAMPLE.TEST");
	return fact(&answer, name);
}

/* --- what works --- */

static void a_request_is_bound_and_both_sides_are_proved(void **state)
{
	struct http_negotiate account = svc();

	(void)state;
	assert_int_equal(ask(NULL, SERVICE_PORT, "/", &account, "bound"), 1);
	account.principal = "svc@EXAMPLE.TEST";
	account.service = "HTTP/localhost";
	assert_int_equal(ask(NULL, SERVICE_PORT, "/", &account, "bound"), 1);
}

static void the_binding_is_that_of_each_kind_of_certificate(void **state)
{
	struct http_negotiate account = svc();
	long first = ask(NULL, NODES_PORT, "/", &account, "connections");

	(void)state;
	for (long i = 1; i <= 4; i++)
		assert_int_equal(ask(NULL, NODES_PORT, "/", &account, "connections"), first + i);
}

static X509 *read_certificate(const char *name)
{
	FILE *file = fopen(kerberos_path(name), "r");
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);

	fclose(file);
	assert_non_null(certificate);
	return certificate;
}

/* RFC 5929, 4.1: for MD5 and SHA-1 it is SHA-256. */
static void the_hash_is_that_of_the_signature(void **state)
{
	static const char prefix[] = "tls-server-end-point:";
	static const struct {
		const char *file, *digest;
	} cases[] = {{"sha1.crt", "SHA256"}, {"sha256.crt", "SHA256"}, {"sha384.crt", "SHA384"},
		{"sha512.crt", "SHA512"}, {"pss.crt", "SHA384"}, {"none.crt", "SHA256"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buffer_ struct buffer binding = BUFFER_INIT;
		X509 *certificate = read_certificate(cases[i].file);
		uint8_t digest[EVP_MAX_MD_SIZE];
		unsigned length;
		X509_digest(certificate, EVP_get_digestbyname(cases[i].digest), digest, &length);
		assert_true(negotiate_binding(certificate, &binding, NULL));
		assert_int_equal(binding.length, strlen(prefix) + length);
		assert_memory_equal(binding.data, prefix, strlen(prefix));
		assert_memory_equal(binding.data + strlen(prefix), digest, length);
		X509_free(certificate);
	}
}

static void a_ticket_of_a_cache_will_do(void **state)
{
	struct http_negotiate account = {.principal = "svc@EXAMPLE.TEST"};
	_cleanup_free_ char *cache = xasprintf("FILE:%s", kerberos_path("tickets"));
	struct http_answer answer _cleanup_http_answer_ = HTTP_ANSWER_INIT;

	(void)state;
	account.cache = cache;
	assert_int_equal(ask(NULL, SERVICE_PORT, "/", &account, "bound"), 1);
	setenv("KRB5CCNAME", cache, 1);
	account.cache = NULL;
	assert_int_equal(ask(NULL, SERVICE_PORT, "/", &account, "bound"), 1);
	account.principal = NULL;
	struct http_request request = request_of(url_of(SERVICE_PORT, "/"), &account);
	assert_true(http_send(NULL, &request, &answer, NULL));
	check_good(&answer, "svc@EXAMPLE.TEST");
	setenv("KRB5CCNAME", kerberos_path("no-cache"), 1);
}

/* As with Active Directory, where the KDC knows which realm a host belongs to. */
static void a_realm_that_is_not_configured_is_the_kdcs_matter(void **state)
{
	struct http_negotiate account = svc();

	(void)state;
	account.principal = "svc@EXAMPLE.TEST";
	assert_true(kerberos_run("sed '/domain_realm/,$d' krb5.conf >referral.conf"));
	setenv("KRB5_CONFIG", kerberos_path("referral.conf"), 1);
	assert_int_equal(ask(NULL, SERVICE_PORT, "/", &account, "bound"), 1);
	setenv("KRB5_CONFIG", kerberos_path("krb5.conf"), 1);
}

static void connections_are_kept_for_one_account_alone(void **state)
{
	struct http_pool *pool = http_pool_new();
	struct http_negotiate one = svc(), other = {.keytab = kerberos_path("agent.keytab"),
						   .principal = "agent"};
	long first = ask(pool, SERVICE_PORT, "/", &one, "connections");

	(void)state;
	assert_int_equal(ask(pool, SERVICE_PORT, "/", &one, "connections"), first);
	assert_int_equal(ask(pool, SERVICE_PORT, "/", &other, "connections"), first + 1);
	assert_int_equal(ask(pool, SERVICE_PORT, "/", &one, "connections"), first + 1);
	assert_int_equal(ask(pool, SERVICE_PORT, "/", &other, "connections"), first + 1);
	http_pool_free(pool);
}

/* Each connection goes to a node with another certificate, and ends in one of two ways. */
/*
 * Until the service has ended all but the connection that asks; how often it was asked. That is an
 * even number of times, so that the next connection goes to another node than the last one did.
 */
static long wait_for_the_end(const struct http_negotiate *account)
{
	const struct timespec moment = {.tv_nsec = 5000000};
	long asked = 1;

	while (ask(NULL, NODES_PORT, "/", account, "open") > 1 || asked % 2 != 0) {
		nanosleep(&moment, NULL);
		asked++;
	}
	return asked;
}

static void another_node_gets_a_token_of_its_own_and_the_body_once(void **state)
{
	struct http_pool *pool = http_pool_new();
	struct http_negotiate account = svc();
	long done = ask(pool, NODES_PORT, "/", &account, "done");
	long connections = ask(pool, NODES_PORT, "/", &account, "connections");

	(void)state;
	done++;
	for (int i = 0; i < 9; i++) {
		assert_int_equal(
			ask(pool, NODES_PORT, i % 2 ? "/close" : "/drop", &account, "done"),
			++done);
		long asked = wait_for_the_end(&account);
		done += asked;
		connections += asked + 1;
	}
	assert_int_equal(ask(pool, NODES_PORT, "/", &account, "connections"), connections);
	http_pool_free(pool);
}

#define THREADS 8

struct asker {
	pthread_t thread;
	const struct http_request *request;
	int good;
};

static void *ask_often(void *argument)
{
	struct asker *asker = argument;

	for (int i = 0; i < 5; i++) {
		struct http_answer answer _cleanup_http_answer_ = HTTP_ANSWER_INIT;
		if (http_send(NULL, asker->request, &answer, NULL) && answer.status == 200)
			asker->good++;
	}
	return NULL;
}

static void many_threads_have_tickets_of_their_own(void **state)
{
	struct http_negotiate account = svc();
	struct http_request request = request_of(url_of(NODES_PORT, "/"), &account);
	struct asker askers[THREADS] = {0};

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		askers[i].request = &request;
		assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_often, &askers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(askers[i].thread, NULL);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(askers[i].good, 5);
}

/* --- what a service that demands bindings refuses --- */

/* The status of a request with that header. */
static long send_value(const char *path, const char *value)
{
	struct http_answer answer _cleanup_http_answer_ = HTTP_ANSWER_INIT;
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	struct http_request request = request_of(url_of(SERVICE_PORT, path), NULL);
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_true(secret_set(&secret, value, strlen(value)));
	request.secret_header = "Authorization";
	request.secret_value = &secret;
	if (!http_send(NULL, &request, &answer, &error))
		fail_msg("%s", error_message(&error));
	return answer.status;
}

static void tokens_for_another_certificate_are_refused(void **state)
{
	struct http_negotiate account = svc();
	const char *files[] = {"sha256.crt", "sha384.crt"};
	static const long statuses[] = {200, 401};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		X509 *certificate = read_certificate(files[i]);
		struct negotiate *negotiate = negotiate_new(&account, "localhost");
		_cleanup_free_ char *value = NULL;
		assert_true(negotiate_start(negotiate, certificate, 60000, &value, NULL));
		assert_int_equal(send_value("/", value), statuses[i]);
		/* The same token is taken once. */
		assert_int_equal(send_value("/", value), 401);
		negotiate_free(negotiate);
		X509_free(certificate);
	}
}

/* As a client does that knows nothing of bindings. */
static char *unbound_token(void)
{
	gss_OID_desc spnego = {6, (void *)"\x2b\x06\x01\x05\x05\x02"};
	gss_buffer_desc name = {strlen("HTTP@localhost"), (void *)"HTTP@localhost"};
	gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
	gss_ctx_id_t context = GSS_C_NO_CONTEXT;
	gss_name_t target = GSS_C_NO_NAME;
	OM_uint32 minor;

	setenv("KRB5CCNAME", kerberos_path("tickets"), 1);
	gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE, &target);
	assert_int_equal(gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &context, target,
				 &spnego, GSS_C_MUTUAL_FLAG, 0, GSS_C_NO_CHANNEL_BINDINGS,
				 GSS_C_NO_BUFFER, NULL, &token, NULL, NULL),
		GSS_S_CONTINUE_NEEDED);
	char *value = xcalloc(1, 12 + token.length * 2);
	strcpy(value, "Negotiate ");
	EVP_EncodeBlock((uint8_t *)value + strlen(value), token.value, (int)token.length);
	gss_release_buffer(&minor, &token);
	gss_release_name(&minor, &target);
	gss_delete_sec_context(&minor, &context, NULL);
	setenv("KRB5CCNAME", kerberos_path("no-cache"), 1);
	return value;
}

static void a_service_that_demands_bindings_refuses_clients_without(void **state)
{
	_cleanup_free_ char *one = unbound_token(), *other = unbound_token();

	(void)state;
	assert_int_equal(send_value("/", one), 401);
	assert_int_equal(send_value("/unbound", other), 200);
}

/* --- errors --- */

struct refusal {
	const char *path;
	long status;
	bool may_be_seen;
	const char *text;
};

static void check_pool_failure(struct http_pool *pool, const struct http_request *request,
	enum error_code code, long status, bool may_be_seen, const char *text)
{
	struct http_answer answer _cleanup_http_answer_ = HTTP_ANSWER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (http_send(pool, request, &answer, &error))
		fail_msg("%s is no failure", request->url);
	if (!strstr(error_message(&error), text))
		fail_msg("not '%s' but '%s'", text, error_message(&error));
	print_message("# %s\n", error_message(&error));
	assert_int_equal(error.code, code);
	assert_int_equal(answer.status, status);
	assert_true(answer.is_connected);
	assert_int_equal(answer.may_be_seen, may_be_seen);
	assert_int_equal(answer.has_ticket, status != 0);
}

static void check_failure(const struct http_request *request, enum error_code code, long status,
	bool may_be_seen, const char *text)
{
	check_pool_failure(NULL, request, code, status, may_be_seen, text);
}

static void answers_that_prove_nothing_are_errors(void **state)
{
	static const struct refusal refusals[] = {
		{"/nobody", 401, false, "takes no Kerberos"},
		{"/ntlm", 401, false, "takes no Kerberos"},
		{"/refuse", 401, false, "refuses the Kerberos ticket"},
		{"/no-token", 200, true, "it has no token of Kerberos"},
		{"/bad-token", 200, true, "no token of Kerberos that can be read"},
		{"/wrong-token", 200, true, "not proved to be the service's"},
		{"/other-token", 200, true, "not proved to be the service's"},
		{"/fault-wrong-token", 500, true, "not proved to be the service's"},
	};
	struct http_negotiate account = svc();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *refusal = &refusals[i];
		struct http_request request =
			request_of(url_of(SERVICE_PORT, refusal->path), &account);
		check_failure(&request, ERROR_NETWORK_FAILED, refusal->status, refusal->may_be_seen,
			refusal->text);
	}
}

static void a_fault_needs_no_token(void **state)
{
	struct http_answer answer _cleanup_http_answer_ = HTTP_ANSWER_INIT;
	struct http_negotiate account = svc();
	struct http_request request = request_of(url_of(SERVICE_PORT, "/fault"), &account);

	(void)state;
	assert_true(http_send(NULL, &request, &answer, NULL));
	assert_int_equal(answer.status, 500);
	assert_int_equal(fact(&answer, "length"), strlen(BODY));
}

static void a_service_with_another_key_refuses(void **state)
{
	struct http_negotiate account = svc();
	struct http_request request = request_of(url_of(OLD_PORT, "/"), &account);

	(void)state;
	check_failure(&request, ERROR_NETWORK_FAILED, 401, false, "refuses the Kerberos ticket");
}

static void missing_tickets_are_explained(void **state)
{
	static const struct {
		const char *keytab, *principal, *cache, *service, *text;
	} cases[] = {
		{"none.keytab", "svc", NULL, NULL, "make a keytab of the account"},
		{"service.log", "svc", NULL, NULL, "no keytab"},
		{"svc.keytab", "agent", NULL, NULL, "of this very principal"},
		{"svc.keytab", "svc@a@b", NULL, NULL, "no name of a Kerberos account: svc@a@b"},
		{"svc-old.keytab", "svc", NULL, NULL, "was its password changed?"},
		{"disabled.keytab", "disabled", NULL, NULL, "disabled or locked"},
		{"gone.keytab", "gone", NULL, NULL, "gone@EXAMPLE.TEST"},
		{"svc.keytab", "svc", NULL, "HTTP/elsewhere.test@EXAMPLE.TEST",
			"register this name"},
		{"svc.keytab", "svc", NULL, "HTTP/elsewhere.test@NOWHERE.TEST", "NOWHERE.TEST"},
		{NULL, NULL, NULL, NULL, "in the default cache"},
		{NULL, NULL, "none", NULL, "keep a ticket in this cache"},
		{NULL, "agent@EXAMPLE.TEST", "tickets", NULL, "svc@EXAMPLE.TEST's and not agent@"},
		{NULL, NULL, "expired", NULL, "renew the ticket in this cache"},
	};

	(void)state;
	assert_true(kerberos_run("kinit -c FILE:expired -l 1s -k -t svc.keytab svc && "
				 "until ! klist -s -c FILE:expired; do sleep 0.1; done; sleep 2"));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_negotiate account = {.principal = cases[i].principal,
			.keytab = cases[i].keytab ? kerberos_path(cases[i].keytab) : NULL,
			.cache = cases[i].cache ? kerberos_path(cases[i].cache) : NULL,
			.service = cases[i].service};
		struct http_request request = request_of(url_of(SERVICE_PORT, "/"), &account);
		check_failure(&request, ERROR_NETWORK_FAILED, 0, false, cases[i].text);
	}
}

/* --- the KDC --- */

/* What the Kerberos library asks for the time, in place of the C library's. */
static long skew_s;

__attribute__((visibility("default"))) int gettimeofday(
	struct timeval *restrict now, void *restrict zone)
{
	struct timespec time;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &time);
	now->tv_sec = time.tv_sec + skew_s;
	now->tv_usec = time.tv_nsec / 1000;
	return 0;
}

static void a_clock_that_is_wrong_is_named(void **state)
{
	struct http_negotiate account = svc();
	struct http_request request = request_of(url_of(SERVICE_PORT, "/"), &account);

	(void)state;
	assert_true(kerberos_run("sed '/libdefaults/a kdc_timesync = 0' krb5.conf >exact.conf"));
	setenv("KRB5_CONFIG", kerberos_path("exact.conf"), 1);
	skew_s = 3600;
	check_failure(&request, ERROR_NETWORK_FAILED, 0, false, "set this machine's clock");
	skew_s = 0;
	setenv("KRB5_CONFIG", kerberos_path("krb5.conf"), 1);
}

static void point_to_kdc(const char *file, int port)
{
	_cleanup_free_ char *line =
		xasprintf("sed 's/127.0.0.1:%d/127.0.0.1:%d/' krb5.conf >%s", KDC_PORT, port, file);

	assert_true(kerberos_run(line));
	setenv("KRB5_CONFIG", kerberos_path(file), 1);
}

static void a_kdc_that_is_down_is_named(void **state)
{
	struct http_negotiate account = svc();
	struct http_request request = request_of(url_of(SERVICE_PORT, "/"), &account);

	struct http_pool *pool = http_pool_new();

	(void)state;
	ask(pool, SERVICE_PORT, "/", &account, "done");
	point_to_kdc("down.conf", KDC_PORT + 1);
	/* Also on a connection that was kept. */
	check_pool_failure(pool, &request, ERROR_NETWORK_FAILED, 0, false, "is a KDC up");
	setenv("KRB5_CONFIG", kerberos_path("krb5.conf"), 1);
	http_pool_free(pool);
}

static int silent_socket(int type)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(KDC_PORT + 2),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = socket(AF_INET, type, 0);

	assert_int_equal(bind(one, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_true(type == SOCK_DGRAM || listen(one, 1) == 0);
	return one;
}

static void a_kdc_that_is_silent_is_waited_for_no_longer_than_allowed(void **state)
{
	struct http_negotiate account = svc();
	struct http_request request = request_of(url_of(SERVICE_PORT, "/"), &account);
	int datagrams = silent_socket(SOCK_DGRAM), streams = silent_socket(SOCK_STREAM);

	(void)state;
	point_to_kdc("silent.conf", KDC_PORT + 2);
	request.timeout_ms = 1500;
	check_failure(&request, ERROR_TIMEOUT, 0, false, "KDC");
	setenv("KRB5_CONFIG", kerberos_path("krb5.conf"), 1);
	close(datagrams);
	close(streams);
}

static int start_all(void **state)
{
	(void)state;
	kerberos_start();
	return 0;
}

static int stop_all(void **state)
{
	(void)state;
	kerberos_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_bound_and_both_sides_are_proved),
		cmocka_unit_test(the_binding_is_that_of_each_kind_of_certificate),
		cmocka_unit_test(the_hash_is_that_of_the_signature),
		cmocka_unit_test(a_ticket_of_a_cache_will_do),
		cmocka_unit_test(a_realm_that_is_not_configured_is_the_kdcs_matter),
		cmocka_unit_test(connections_are_kept_for_one_account_alone),
		cmocka_unit_test(another_node_gets_a_token_of_its_own_and_the_body_once),
		cmocka_unit_test(many_threads_have_tickets_of_their_own),
		cmocka_unit_test(tokens_for_another_certificate_are_refused),
		cmocka_unit_test(a_service_that_demands_bindings_refuses_clients_without),
		cmocka_unit_test(answers_that_prove_nothing_are_errors),
		cmocka_unit_test(a_fault_needs_no_token),
		cmocka_unit_test(a_service_with_another_key_refuses),
		cmocka_unit_test(missing_tickets_are_explained),
		cmocka_unit_test(a_clock_that_is_wrong_is_named),
		cmocka_unit_test(a_kdc_that_is_down_is_named),
		cmocka_unit_test(a_kdc_that_is_silent_is_waited_for_no_longer_than_allowed),
	};
	return cmocka_run_group_tests(tests, start_all, stop_all);
}
