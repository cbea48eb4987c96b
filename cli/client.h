/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command's way to tesserad: calls methods and reads answers as JSON
 * values, so that nothing else in cli/ knows D-Bus. Booleans, integers and
 * strings become what they are in JSON, byte arrays hex strings, structures and
 * arrays JSON arrays, dictionaries JSON objects, variants their value.
 */
#ifndef TESSERA_CLI_CLIENT_H
#define TESSERA_CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/macros.h"
#include "common/secret.h"

#define CLIENT_DEFAULT_SOCKET RUNDIR "/bus"

#define CLIENT_ROOT	  "/org/tessera1"
#define CLIENT_MANAGER	  "org.tessera1.Manager"
#define CLIENT_READER	  "org.tessera1.Reader"
#define CLIENT_CREDENTIAL "org.tessera1.Credential"
#define CLIENT_TEMPLATE	  "org.tessera1.Template"
#define CLIENT_CONNECTION "org.tessera1.Connection"
#define CLIENT_TYPE	  "org.tessera1.Type"
#define CLIENT_SLOT	  "org.tessera1.Slot"
#define CLIENT_JOB	  "org.tessera1.Job"
#define CLIENT_SELF	  "org.tessera1.SelfService"
#define CLIENT_LICENCE	  "org.tessera1.Licence"

struct client;

/* One argument of a call; made with the macros below. */
struct client_argument {
	enum client_argument_type {
		CLIENT_ARGUMENT_STRING,
		CLIENT_ARGUMENT_PATH,
		CLIENT_ARGUMENT_INT64,
		CLIENT_ARGUMENT_UINT32,
		CLIENT_ARGUMENT_BOOL,
		CLIENT_ARGUMENT_FIELDS,
		CLIENT_ARGUMENT_STRINGS,
		CLIENT_ARGUMENT_OPTIONS,
		CLIENT_ARGUMENT_SECRET,
		CLIENT_ARGUMENT_SECRET_BYTES,
		CLIENT_ARGUMENT_BYTES,
	} type;
	union {
		const char *string;
		int64_t number;
		const json_t *json;
		const struct secret *secret;
		const struct buffer *bytes;
	};
	const struct secret *pin; /* with OPTIONS: one more that is a secret; or NULL */
	const char *pin_name;	  /* its name */
};

#define CLIENT_STRING(value)                                                                       \
	((struct client_argument){.type = CLIENT_ARGUMENT_STRING, .string = (value)})
#define CLIENT_PATH(value)                                                                         \
	((struct client_argument){.type = CLIENT_ARGUMENT_PATH, .string = (value)})
#define CLIENT_INT64(value)                                                                        \
	((struct client_argument){.type = CLIENT_ARGUMENT_INT64, .number = (value)})
#define CLIENT_UINT32(value)                                                                       \
	((struct client_argument){.type = CLIENT_ARGUMENT_UINT32, .number = (value)})
/* a{ss} from a JSON object of strings, or NULL for an empty one */
#define CLIENT_FIELDS(value)                                                                       \
	((struct client_argument){.type = CLIENT_ARGUMENT_FIELDS, .json = (value)})
#define CLIENT_BOOL(value)                                                                         \
	((struct client_argument){.type = CLIENT_ARGUMENT_BOOL, .number = (value)})
/* as from a JSON array of strings */
#define CLIENT_STRINGS(value)                                                                      \
	((struct client_argument){.type = CLIENT_ARGUMENT_STRINGS, .json = (value)})
/* a{sv} from a JSON object of strings, booleans, integers (x) and arrays of strings, or NULL for
 * none */
#define CLIENT_OPTIONS(value)                                                                      \
	((struct client_argument){.type = CLIENT_ARGUMENT_OPTIONS, .json = (value)})
/* The same with one more option that is a secret; NULL leaves it out. */
#define CLIENT_OPTIONS_WITH_SECRET(value, name_, secret_)                                          \
	((struct client_argument){.type = CLIENT_ARGUMENT_OPTIONS,                                 \
		.json = (value),                                                                   \
		.pin = (secret_),                                                                  \
		.pin_name = (name_)})
#define CLIENT_OPTIONS_WITH_PIN(value, secret_) CLIENT_OPTIONS_WITH_SECRET(value, "pin", secret_)
/* a PIN as a string: never sent on a system bus that was only fallen back to */
#define CLIENT_SECRET(value)                                                                       \
	((struct client_argument){.type = CLIENT_ARGUMENT_SECRET, .secret = (value)})
/* the same as ay, as the Provider's methods want it */
#define CLIENT_SECRET_BYTES(value)                                                                 \
	((struct client_argument){.type = CLIENT_ARGUMENT_SECRET_BYTES, .secret = (value)})
/* ay */
#define CLIENT_BYTES(value)                                                                        \
	((struct client_argument){.type = CLIENT_ARGUMENT_BYTES, .bytes = (value)})

/*
 * Connects. socket: path of the private socket, or NULL for the default one,
 * with a fall back to the system bus (a warning goes to standard error) when it
 * does not answer. system_bus: go to the system bus at once.
 * ERROR_NO_SERVICE when tesserad cannot be reached.
 */
struct client *client_connect(const char *socket, bool system_bus, struct error *error);
/*
 * The same on another machine, by ssh, which may ask the person at the terminal: host is
 * "[USER@]HOST" or "ssh://[USER@]HOST[:PORT]", socket the path of the private socket there, or NULL
 * for the default one. Waits until tesserad is reached. Descriptors do not pass. NULL with
 * ERROR_INVALID_ARGUMENT, ERROR_CANCELLED (by a signal), ERROR_NETWORK_FAILED or ERROR_NO_SERVICE.
 */
struct client *client_connect_host(const char *host, const char *socket, struct error *error);
void client_free(struct client *client);
DEFINE_CLEANUP(struct client *, client_free);
#define _cleanup_client_ _cleanup_(client_freep)

/* The host that it is connected to; NULL on this machine. */
const char *client_host(const struct client *client);

bool client_is_connected(const struct client *client);

/* Whether a PIN may pass: not on a system bus that was only fallen back to. ERROR_NO_SERVICE. */
bool client_carries_pins(const struct client *client, struct error *error);

/*
 * Calls interface.method of the object at path and waits for the answer: a JSON
 * array of the method's results, or NULL with the error that tesserad answered
 * with. The message is wiped after it was sent if it held a secret.
 */
json_t *client_call(struct client *client, const char *path, const char *interface,
	const char *method, const struct client_argument *arguments, size_t count,
	struct error *error);

/*
 * The same in two steps, so that several calls are under way at a time: over a network each would
 * cost a round trip. client_begin() sends, and answers NULL with error when it cannot;
 * client_finish() waits for the answer and frees; of NULL it makes NULL. Calls are answered in
 * their order.
 */
struct client_pending;
struct client_pending *client_begin(struct client *client, const char *path, const char *interface,
	const char *method, const struct client_argument *arguments, size_t count,
	struct error *error);
json_t *client_finish(struct client_pending *pending, struct error *error);
/* Whether client_finish() need not wait; client_wait() takes answers in. */
bool client_pending_is_done(const struct client_pending *pending);
/* Gives an answer up. */
void client_pending_free(struct client_pending *pending);
DEFINE_CLEANUP(struct client_pending *, client_pending_free);

#define CLIENT_CALL(client, path, interface, method, error, ...)                                   \
	client_call((client), (path), (interface), (method),                                       \
		(const struct client_argument[]){__VA_ARGS__},                                     \
		sizeof((const struct client_argument[]){__VA_ARGS__}) /                            \
			sizeof(struct client_argument),                                            \
		(error))
#define CLIENT_BEGIN(client, path, interface, method, error, ...)                                  \
	client_begin((client), (path), (interface), (method),                                      \
		(const struct client_argument[]){__VA_ARGS__},                                     \
		sizeof((const struct client_argument[]){__VA_ARGS__}) /                            \
			sizeof(struct client_argument),                                            \
		(error))
#define CLIENT_CALL_PLAIN(client, path, interface, method, error)                                  \
	client_call((client), (path), (interface), (method), NULL, 0, (error))

/* Calls may take half an hour from now on: a walk of millions of records, a person who is asked. */
void client_be_patient(struct client *client);

/* The connection itself, for client-session.c; it stays the client's. */
struct DBusConnection *client_connection(struct client *client);
/* Whom calls over it are for; NULL for the private socket, which has one end only. */
const char *client_destination(const struct client *client);

/* Asks tesserad to tell changes from now on; look at the objects after it, so as to miss none. */
bool client_watch(struct client *client, struct error *error);

/*
 * Called in client_wait() with each signal that has come since the last one: of which object, and
 * which.
 */
typedef void (*client_signal)(
	void *context, const char *path, const char *interface, const char *member);
void client_on_signal(struct client *client, client_signal heard, void *context);

/*
 * Waits until tesserad tells a change (client_watch), an answer comes to a call that was begun, a
 * signal comes for this process, or timeout_ms (-1: no limit) have passed. *changed (may be NULL)
 * says whether it was the first. False with ERROR_NO_SERVICE when tesserad went away, and
 * ERROR_NETWORK_FAILED when the connection to another machine did.
 */
bool client_wait(struct client *client, int timeout_ms, bool *changed, struct error *error);

#define _cleanup_json_ _cleanup_(json_decrefp)

#endif
