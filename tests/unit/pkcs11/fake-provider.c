/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/pkcs11/fake-provider.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dbus/dbus.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "common/macros.h"
#include "unit/pkcs11/fake-slot.h"

#define OBJECT_SIGNATURE    "(usayayua(uay))"
#define INTERFACE	    "org.tessera1.Provider"
#define ERROR_PREFIX	    "org.tessera1.Error."
#define CONNECTIONS_MAXIMUM 64
#define SLOT_FLAGS	    (1U | 1U << 7 | 1U << 8) /* there, without a PIN, no card */

static const struct {
	dbus_uint32_t reference;
	const char *label;
	dbus_uint32_t flags;
} key_facts[FAKE_KEY_COUNT] = {
	[FAKE_9A] = {0x9A, "Authentication", 0},
	[FAKE_9C] = {0x9C, "Signature", 1},
	[FAKE_9D] = {0x9D, "Key management", 0},
	[FAKE_9E] = {0x9E, "Card authentication", 2},
};

/* The process's state; there is one per process. */
static struct {
	struct fake *fake;
	DBusWatch *watch;
	struct client {
		DBusConnection *connection;
		bool logged_in;
		bool watching; /* it asked for the tokens: it is told of changes */
	} clients[CONNECTIONS_MAXIMUM];
	dbus_uint64_t generation;
	bool present, other, second_reader, suspended, without_pin, renewed, slow, short_answers,
		wrong_type, with_slot;
	int tries;
	char pin[16];
	uint32_t calls;
} state;

static void append_bytes(DBusMessageIter *to, const unsigned char *data, int length)
{
	DBusMessageIter bytes;

	dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, "y", &bytes);
	dbus_message_iter_append_fixed_array(&bytes, DBUS_TYPE_BYTE, &data, length);
	dbus_message_iter_close_container(to, &bytes);
}

static void append_token(DBusMessageIter *tokens, dbus_uint32_t number, const char *reader,
	dbus_uint32_t flags, const char *serial, dbus_uint64_t generation)
{
	const char *label = "Ada Lovelace", *manufacturer = "Yubico", *model = "YubiKey 5";
	dbus_uint32_t minimum = 6, maximum = 8;
	DBusMessageIter fields;

	dbus_message_iter_open_container(tokens, DBUS_TYPE_STRUCT, NULL, &fields);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_UINT32, &number);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_STRING, &reader);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_UINT32, &flags);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_STRING, &label);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_STRING, &manufacturer);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_STRING, &model);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_STRING, &serial);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_UINT32, &minimum);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_UINT32, &maximum);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_UINT64, &generation);
	dbus_message_iter_close_container(tokens, &fields);
}

static dbus_uint32_t token_flags(void)
{
	return (state.present ? 1 : 0) | (state.tries == 0 ? 2 : 0) | (state.tries == 1 ? 4 : 0) |
	       (state.tries < 3 ? 8 : 0) | (state.suspended ? 32 : 0) |
	       (state.without_pin ? 128 : 0);
}

static DBusMessage *get_tokens(DBusMessage *call)
{
	DBusMessage *reply = dbus_message_new_method_return(call);
	DBusMessageIter arguments, tokens;

	dbus_message_iter_init_append(reply, &arguments);
	dbus_message_iter_append_basic(&arguments, DBUS_TYPE_UINT64, &state.generation);
	dbus_message_iter_open_container(&arguments, DBUS_TYPE_ARRAY, "(usussssuut)", &tokens);
	append_token(&tokens, 1, "Virtual reader 00 00", token_flags(),
		state.other ? "yubikey-87654321" : "yubikey-12345678", state.generation);
	if (state.second_reader)
		append_token(&tokens, 2, "Virtual reader 00 01", 0, "", 0);
	if (state.with_slot)
		append_token(&tokens, FAKE_SLOT, "HSM", SLOT_FLAGS, "hsm", fake_slot_generation());
	dbus_message_iter_close_container(&arguments, &tokens);
	return reply;
}

static void sign_certificate(X509 *certificate, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(certificate);

	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 4711);
	/* Fixed, so that the same certificate is made at each question. */
	ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "20260101000000Z");
	ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "20360101000000Z");
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"Ada Lovelace", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	X509_sign(certificate, key, EVP_sha256());
}

static void append_key(DBusMessageIter *keys, enum fake_key index)
{
	EVP_PKEY *key = state.fake->keys[index];
	unsigned char *certificate = NULL, *public_key = NULL;
	const char *label = state.renewed ? "Renewed" : key_facts[index].label;
	DBusMessageIter fields, attributes;
	X509 *x509 = X509_new();

	sign_certificate(x509, key);
	int certificate_length = index == FAKE_9D ? 0 : i2d_X509(x509, &certificate);
	int public_length = i2d_PUBKEY(key, &public_key);
	dbus_message_iter_open_container(keys, DBUS_TYPE_STRUCT, NULL, &fields);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_UINT32, &key_facts[index].reference);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_STRING, &label);
	append_bytes(&fields, certificate, certificate_length);
	append_bytes(&fields, public_key, public_length);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_UINT32, &key_facts[index].flags);
	dbus_message_iter_open_container(&fields, DBUS_TYPE_ARRAY, "(uay)", &attributes);
	dbus_message_iter_close_container(&fields, &attributes);
	dbus_message_iter_close_container(keys, &fields);
	OPENSSL_free(certificate);
	OPENSSL_free(public_key);
	X509_free(x509);
}

static DBusMessage *failure(DBusMessage *call, const char *name)
{
	char full[100];
	snprintf(full, sizeof(full), ERROR_PREFIX "%s", name);
	return dbus_message_new_error(call, full, "the test wants this");
}

static DBusMessage *get_objects(DBusMessage *call)
{
	if (!state.present)
		return failure(call, "NoCard");
	DBusMessage *reply = dbus_message_new_method_return(call);
	const dbus_uint32_t end = 0;
	DBusMessageIter arguments, keys;
	dbus_message_iter_init_append(reply, &arguments);
	dbus_message_iter_append_basic(&arguments, DBUS_TYPE_UINT64, &state.generation);
	dbus_message_iter_append_basic(&arguments, DBUS_TYPE_UINT32, &end);
	dbus_message_iter_open_container(&arguments, DBUS_TYPE_ARRAY, "(usayayua(uay))", &keys);
	for (enum fake_key key = 0; key < FAKE_KEY_COUNT; key++)
		append_key(&keys, key);
	dbus_message_iter_close_container(&arguments, &keys);
	return reply;
}

static void broadcast(void)
{
	state.generation++;
	for (size_t i = 0; i < CONNECTIONS_MAXIMUM; i++) {
		if (!state.clients[i].watching)
			continue;
		DBusMessage *signal =
			dbus_message_new_signal("/org/tessera1", INTERFACE, "TokensChanged");
		dbus_message_append_args(
			signal, DBUS_TYPE_UINT64, &state.generation, DBUS_TYPE_INVALID);
		dbus_connection_send(state.clients[i].connection, signal, NULL);
		dbus_connection_flush(state.clients[i].connection);
		dbus_message_unref(signal);
	}
}

/* NULL when the PIN is right, the error's name otherwise. */
static const char *check_pin(const char *pin, int length)
{
	if (state.tries == 0)
		return "PinBlocked";
	if ((size_t)length == strlen(state.pin) && memcmp(pin, state.pin, (size_t)length) == 0) {
		state.tries = 3;
		return NULL;
	}
	state.tries--;
	broadcast();
	return state.tries ? "PinWrong" : "PinBlocked";
}

static DBusMessage *log_in(struct client *client, DBusMessage *call)
{
	dbus_uint32_t slot;
	const char *pin;
	int length;

	if (!dbus_message_get_args(call, NULL, DBUS_TYPE_UINT32, &slot, DBUS_TYPE_ARRAY,
		    DBUS_TYPE_BYTE, &pin, &length, DBUS_TYPE_INVALID))
		return failure(call, "InvalidArgument");
	if (!state.present)
		return failure(call, "NoCard");
	if (state.suspended)
		return failure(call, "WrongState");
	if (client->logged_in)
		return failure(call, "AlreadyLoggedIn");
	const char *wrong = check_pin(pin, length);
	client->logged_in = !wrong;
	return wrong ? failure(call, wrong) : dbus_message_new_method_return(call);
}

static DBusMessage *log_out(struct client *client, DBusMessage *call)
{
	if (!client->logged_in)
		return failure(call, "PinRequired");
	client->logged_in = false;
	return dbus_message_new_method_return(call);
}

static DBusMessage *change_pin(DBusMessage *call)
{
	dbus_uint32_t slot;
	const char *old_pin, *new_pin;
	int old_length, new_length;

	if (!dbus_message_get_args(call, NULL, DBUS_TYPE_UINT32, &slot, DBUS_TYPE_ARRAY,
		    DBUS_TYPE_BYTE, &old_pin, &old_length, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE,
		    &new_pin, &new_length, DBUS_TYPE_INVALID))
		return failure(call, "InvalidArgument");
	if (new_length < 6 || new_length > 8)
		return failure(call, "PinLength");
	if (memcmp(new_pin, "111111", 6) == 0)
		return failure(call, "PinPolicy");
	const char *wrong = check_pin(old_pin, old_length);
	if (wrong)
		return failure(call, wrong);
	snprintf(state.pin, sizeof(state.pin), "%.*s", new_length, new_pin);
	return dbus_message_new_method_return(call);
}

/* NULL when the key may be used now. */
static const char *check_use(
	const struct client *client, enum fake_key key, const char *pin, int length)
{
	if (!state.present)
		return "NoCard";
	if (state.suspended)
		return "WrongState";
	if (key_facts[key].flags & 1)
		return length ? check_pin(pin, length) : "PinRequired";
	return client->logged_in || key_facts[key].flags & 2 ? NULL : "PinRequired";
}

static DBusMessage *answer_bytes(DBusMessage *call, const unsigned char *data, size_t length)
{
	DBusMessage *reply = dbus_message_new_method_return(call);
	DBusMessageIter arguments;
	const char *text = "no bytes";

	dbus_message_iter_init_append(reply, &arguments);
	if (state.wrong_type)
		dbus_message_iter_append_basic(&arguments, DBUS_TYPE_STRING, &text);
	else
		append_bytes(&arguments, data, (int)length - state.short_answers);
	return reply;
}

static DBusMessage *use_key(struct client *client, DBusMessage *call)
{
	dbus_uint32_t slot, reference;
	dbus_uint32_t mechanism;
	const char *operation, *pin, *parameter;
	const unsigned char *input;
	int pin_length, length, parameter_length;
	unsigned char output[512];
	enum fake_key key = 0;

	if (!dbus_message_get_args(call, NULL, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &input, &length,
		    DBUS_TYPE_UINT32, &slot, DBUS_TYPE_UINT32, &reference, DBUS_TYPE_STRING,
		    &operation, DBUS_TYPE_UINT32, &mechanism, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE,
		    &parameter, &parameter_length, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &pin,
		    &pin_length, DBUS_TYPE_INVALID))
		return failure(call, "InvalidArgument");
	while (key < FAKE_KEY_COUNT && key_facts[key].reference != reference)
		key++;
	if (slot != 1 || key == FAKE_KEY_COUNT)
		return failure(call, "NotFound");
	const char *wrong = check_use(client, key, pin, pin_length);
	if (wrong)
		return failure(call, wrong);
	if (state.slow)
		usleep(400000);
	size_t size = fake_compute(state.fake->keys[key], operation, input, length, output);
	return size ? answer_bytes(call, output, size) : failure(call, "DataInvalid");
}

static DBusMessage *dispatch(struct client *client, DBusMessage *call)
{
	const char *member = dbus_message_get_member(call);

	state.calls++;
	if (strcmp(member, "GetTokens") == 0) {
		client->watching = true;
		return get_tokens(call);
	}
	DBusMessage *reply = state.with_slot ? fake_slot_answer(call) : NULL;
	if (reply)
		return reply;
	if (strcmp(member, "GetObjects") == 0)
		return get_objects(call);
	if (strcmp(member, "Login") == 0)
		return log_in(client, call);
	if (strcmp(member, "Logout") == 0)
		return log_out(client, call);
	if (strcmp(member, "ChangePin") == 0)
		return change_pin(call);
	if (strcmp(member, "UseKey") == 0)
		return use_key(client, call);
	return failure(call, "NotSupported");
}

static void serve(struct client *client)
{
	DBusConnection *connection = client->connection;
	DBusMessage *message;

	for (int i = 0; i < 4; i++) /* a handshake takes several steps */
		dbus_connection_read_write(connection, 0);
	while ((message = dbus_connection_pop_message(connection))) {
		if (dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_METHOD_CALL) {
			DBusMessage *reply = dispatch(client, message);
			if (!dbus_message_get_no_reply(message))
				dbus_connection_send(connection, reply, NULL);
			dbus_message_unref(reply);
		}
		dbus_message_unref(message);
	}
	if (!dbus_connection_get_is_connected(connection)) {
		dbus_connection_unref(connection);
		*client = (struct client){0};
	}
}

static void accept_client(DBusServer *server, DBusConnection *connection, void *data)
{
	size_t i = 0;

	(void)server;
	(void)data;
	while (i < CONNECTIONS_MAXIMUM && state.clients[i].connection)
		i++;
	if (i == CONNECTIONS_MAXIMUM)
		return;
	dbus_connection_set_exit_on_disconnect(connection, FALSE);
	state.clients[i].connection = dbus_connection_ref(connection);
}

static dbus_bool_t add_watch(DBusWatch *watch, void *data)
{
	(void)data;
	state.watch = watch;
	return TRUE;
}

static void remove_watch(DBusWatch *watch, void *data)
{
	(void)watch;
	(void)data;
}

static bool obey(char command)
{
	switch ((enum fake_command)command) {
	case FAKE_REMOVE:
	case FAKE_INSERT:
		state.present = command == FAKE_INSERT;
		for (size_t i = 0; i < CONNECTIONS_MAXIMUM; i++)
			state.clients[i].logged_in = false;
		return true;
	case FAKE_OTHER_CARD:
		return state.other = true;
	case FAKE_NEW_READER:
	case FAKE_DROP_READER:
		state.second_reader = command == FAKE_NEW_READER;
		return true;
	case FAKE_SUSPEND:
	case FAKE_RESUME:
		state.suspended = command == FAKE_SUSPEND;
		return true;
	case FAKE_PIN_NEED:
		state.without_pin = !state.without_pin;
		return true;
	case FAKE_RENEW:
		return state.renewed = true;
	case FAKE_FORGET_LOGIN:
		for (size_t i = 0; i < CONNECTIONS_MAXIMUM; i++)
			state.clients[i].logged_in = false;
		return false;
	case FAKE_RESET_TRIES:
		state.tries = 3;
		return false;
	case FAKE_SLOW:
	case FAKE_FAST:
		state.slow = command == FAKE_SLOW;
		return false;
	case FAKE_SHORT_ANSWERS:
	case FAKE_WRONG_SIGNATURE:
	case FAKE_NORMAL_ANSWERS:
		state.short_answers = command == FAKE_SHORT_ANSWERS;
		state.wrong_type = command == FAKE_WRONG_SIGNATURE;
		return false;
	case FAKE_WITH_SLOT:
		return state.with_slot = true;
	case FAKE_REFUSE:
		fake_slot_refuse();
		return false;
	case FAKE_COUNT:
	case FAKE_USES:
		return false;
	}
	return false;
}

static void take_command(int control)
{
	char command;

	if (read(control, &command, 1) != 1)
		_exit(0);
	uint32_t calls = state.calls;
	if (obey(command))
		broadcast();
	state.calls = 0;
	if (command == FAKE_USES)
		calls = fake_stream_count();
	if (write(control, &calls, sizeof(calls)) != sizeof(calls))
		_exit(1);
}

static void serve_all(int control)
{
	struct pollfd descriptors[CONNECTIONS_MAXIMUM + 2];
	nfds_t count = 2;

	descriptors[0] = (struct pollfd){.fd = control, .events = POLLIN};
	descriptors[1] =
		(struct pollfd){.fd = dbus_watch_get_unix_fd(state.watch), .events = POLLIN};
	for (size_t i = 0; i < CONNECTIONS_MAXIMUM; i++) {
		int fd;
		if (state.clients[i].connection &&
			dbus_connection_get_unix_fd(state.clients[i].connection, &fd))
			descriptors[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	poll(descriptors, count, 100);
	if (descriptors[1].revents)
		dbus_watch_handle(state.watch, DBUS_WATCH_READABLE);
	for (size_t i = 0; i < CONNECTIONS_MAXIMUM; i++) {
		if (state.clients[i].connection)
			serve(&state.clients[i]);
	}
	if (descriptors[0].revents)
		take_command(control);
}

static void run(struct fake *fake, int control)
{
	char address[200];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	state.fake = fake;
	state.generation = (dbus_uint64_t)getpid() * 1000;
	state.present = true;
	state.tries = 3;
	strcpy(state.pin, FAKE_PIN);
	unlink(fake->socket);
	snprintf(address, sizeof(address), "unix:path=%s", fake->socket);
	DBusServer *server = dbus_server_listen(address, NULL);
	if (!server)
		_exit(1);
	dbus_server_set_new_connection_function(server, accept_client, NULL, NULL);
	dbus_server_set_watch_functions(server, add_watch, remove_watch, NULL, NULL, NULL);
	for (;;)
		serve_all(control);
}

void fake_restart(struct fake *fake)
{
	int ends[2];

	int failed = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	assert(!failed);
	fake->process = fork();
	if (fake->process == 0) {
		close(ends[0]);
		run(fake, ends[1]);
	}
	close(ends[1]);
	fake->control = ends[0];
	fake_command(fake, FAKE_COUNT);
}

struct fake *fake_start(const char *socket)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	fake->socket = strdup(socket);
	fake->keys[FAKE_9A] = EVP_RSA_gen(2048);
	fake->keys[FAKE_9C] = EVP_EC_gen("P-256");
	fake->keys[FAKE_9D] = EVP_EC_gen("P-384");
	fake->keys[FAKE_9E] = EVP_EC_gen("P-256");
	fake_restart(fake);
	return fake;
}

void fake_kill(struct fake *fake)
{
	kill(fake->process, SIGKILL);
	waitpid(fake->process, NULL, 0);
	close(fake->control);
}

void fake_free(struct fake *fake)
{
	fake_kill(fake);
	unlink(fake->socket);
	for (size_t i = 0; i < FAKE_KEY_COUNT; i++)
		EVP_PKEY_free(fake->keys[i]);
	free(fake->socket);
	free(fake);
}

uint32_t fake_command(struct fake *fake, enum fake_command command)
{
	uint32_t calls = 0;
	char byte = (char)command;
	ssize_t sent = write(fake->control, &byte, 1);
	ssize_t received = read(fake->control, &calls, sizeof(calls));
	assert(sent == 1 && received == (ssize_t)sizeof(calls));
	return calls;
}
