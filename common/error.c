/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <p11-kit/pkcs11.h>

#define PREFIX "org.tessera1.Error."

/* Exit statuses of the command: tessera(1) documents them. */
enum exit_status {
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_DENIED = 4,
	EXIT_PIN = 5,
	EXIT_CARD = 6,
	EXIT_STATE = 7,
	EXIT_SERVICE = 8,
	EXIT_CANCELLED = 9,
};

static const struct {
	const char *dbus_name;
	unsigned long ckr;
	int exit_status;
	const char *message;
} codes[ERROR_CODE_COUNT] = {
	[ERROR_NONE] = {PREFIX "None", CKR_OK, 0, "no error"},
	[ERROR_FAILED] = {PREFIX "Failed", CKR_GENERAL_ERROR, EXIT_FAILED, "the operation failed"},
	[ERROR_INVALID_ARGUMENT] = {PREFIX "InvalidArgument", CKR_ARGUMENTS_BAD, EXIT_USAGE,
		"an argument is malformed"},
	[ERROR_NOT_FOUND] = {PREFIX "NotFound", CKR_KEY_HANDLE_INVALID, EXIT_NOT_FOUND,
		"there is no such object"},
	[ERROR_EXISTS] = {PREFIX "Exists", CKR_GENERAL_ERROR, EXIT_FAILED, "the name is taken"},
	[ERROR_ACCESS_DENIED] = {PREFIX "AccessDenied", CKR_ACTION_PROHIBITED, EXIT_DENIED,
		"you may not do this"},
	[ERROR_NOT_SUPPORTED] = {PREFIX "NotSupported", CKR_FUNCTION_NOT_SUPPORTED, EXIT_FAILED,
		"this is not supported"},
	[ERROR_BUSY] = {PREFIX "Busy", CKR_FUNCTION_FAILED, EXIT_STATE,
		"another operation is using the card"},
	[ERROR_CANCELLED] = {PREFIX "Cancelled", CKR_FUNCTION_CANCELED, EXIT_CANCELLED,
		"the operation was cancelled"},
	[ERROR_TIMEOUT] = {PREFIX "Timeout", CKR_DEVICE_ERROR, EXIT_SERVICE, "no answer in time"},
	[ERROR_NO_CARD] = {PREFIX "NoCard", CKR_DEVICE_REMOVED, EXIT_CARD,
		"there is no card in the reader"},
	[ERROR_CARD_FAILED] = {PREFIX "CardFailed", CKR_DEVICE_ERROR, EXIT_CARD,
		"the card answered unexpectedly"},
	[ERROR_CARD_UNKNOWN] = {PREFIX "CardUnknown", CKR_TOKEN_NOT_RECOGNIZED, EXIT_CARD,
		"the card is of no known type"},
	[ERROR_CARD_FOREIGN] = {PREFIX "CardForeign", CKR_TOKEN_NOT_RECOGNIZED, EXIT_CARD,
		"the card is owned by another system"},
	[ERROR_WRONG_STATE] = {PREFIX "WrongState", CKR_ACTION_PROHIBITED, EXIT_STATE,
		"the credential's state does not allow this"},
	[ERROR_PIN_WRONG] = {PREFIX "PinWrong", CKR_PIN_INCORRECT, EXIT_PIN, "wrong PIN"},
	[ERROR_PIN_BLOCKED] = {PREFIX "PinBlocked", CKR_PIN_LOCKED, EXIT_PIN, "the PIN is blocked"},
	[ERROR_PIN_LENGTH] = {PREFIX "PinLength", CKR_PIN_LEN_RANGE, EXIT_PIN,
		"the PIN has the wrong length"},
	[ERROR_PIN_POLICY] = {PREFIX "PinPolicy", CKR_PIN_INVALID, EXIT_PIN,
		"the PIN breaks the PIN policy"},
	[ERROR_PIN_REQUIRED] = {PREFIX "PinRequired", CKR_USER_NOT_LOGGED_IN, EXIT_PIN,
		"the PIN is needed first"},
	[ERROR_PIN_EXPIRED] = {PREFIX "PinExpired", CKR_PIN_EXPIRED, EXIT_PIN,
		"the PIN has expired: change it"},
	[ERROR_CODE_EXPIRED] = {PREFIX "CodeExpired", CKR_PIN_LOCKED, EXIT_PIN,
		"no unblock code is good now"},
	[ERROR_PUK_BLOCKED] = {PREFIX "PukBlocked", CKR_PIN_LOCKED, EXIT_CARD,
		"the card's PUK is blocked"},
	[ERROR_ALREADY_LOGGED_IN] = {PREFIX "AlreadyLoggedIn", CKR_USER_ALREADY_LOGGED_IN,
		EXIT_FAILED, "already logged in"},
	[ERROR_INVALID_TEMPLATE] = {PREFIX "InvalidTemplate", CKR_ARGUMENTS_BAD, EXIT_USAGE,
		"the template is not valid"},
	[ERROR_INVALID_CONNECTION] = {PREFIX "InvalidConnection", CKR_ARGUMENTS_BAD, EXIT_USAGE,
		"the connection is not valid"},
	[ERROR_INVALID_TYPE] = {PREFIX "InvalidType", CKR_ARGUMENTS_BAD, EXIT_USAGE,
		"the credential type is not valid"},
	[ERROR_IN_USE] = {PREFIX "InUse", CKR_FUNCTION_FAILED, EXIT_STATE, "it is in use"},
	[ERROR_AUTHORITY_FAILED] = {PREFIX "AuthorityFailed", CKR_GENERAL_ERROR, EXIT_FAILED,
		"the certification authority failed"},
	[ERROR_AUTHORITY_REJECTED] = {PREFIX "AuthorityRejected", CKR_GENERAL_ERROR, EXIT_FAILED,
		"the certification authority refused the request"},
	[ERROR_DIRECTORY_FAILED] = {PREFIX "DirectoryFailed", CKR_GENERAL_ERROR, EXIT_FAILED,
		"the directory failed"},
	[ERROR_STORE_FAILED] = {PREFIX "StoreFailed", CKR_GENERAL_ERROR, EXIT_SERVICE,
		"the store failed"},
	[ERROR_STORE_FULL] = {PREFIX "StoreFull", CKR_DEVICE_MEMORY, EXIT_SERVICE,
		"no space is left for the store"},
	[ERROR_STORE_READ_ONLY] = {PREFIX "StoreReadOnly", CKR_GENERAL_ERROR, EXIT_SERVICE,
		"the store cannot be written"},
	[ERROR_TOKEN_FAILED] = {PREFIX "TokenFailed", CKR_DEVICE_ERROR, EXIT_SERVICE,
		"the token failed"},
	[ERROR_NO_READER_SERVICE] = {PREFIX "NoReaderService", CKR_DEVICE_ERROR, EXIT_SERVICE,
		"pcscd is not running"},
	[ERROR_DATA_INVALID] = {PREFIX "DataInvalid", CKR_DATA_INVALID, EXIT_FAILED,
		"the key refused the data"},
	[ERROR_DATA_LENGTH] = {PREFIX "DataLength", CKR_DATA_LEN_RANGE, EXIT_FAILED,
		"the data has the wrong length"},
	[ERROR_AUDIT_BROKEN] = {PREFIX "AuditBroken", CKR_GENERAL_ERROR, EXIT_FAILED,
		"the audit trail was changed"},
	[ERROR_LOCKED] = {PREFIX "Locked", CKR_ACTION_PROHIBITED, EXIT_DENIED,
		"the master key is locked"},
	[ERROR_NOT_INITIALIZED] = {PREFIX "NotInitialized", CKR_ACTION_PROHIBITED, EXIT_DENIED,
		"there is no system owner yet"},
	[ERROR_QUORUM_MISSING] = {PREFIX "QuorumMissing", CKR_ACTION_PROHIBITED, EXIT_DENIED,
		"another operator has to log in, too"},
	[ERROR_TOKEN_REFUSED] = {PREFIX "TokenRefused", CKR_FUNCTION_FAILED, EXIT_FAILED,
		"the token refused this"},
	[ERROR_SIGNATURE_INVALID] = {PREFIX "SignatureInvalid", CKR_SIGNATURE_INVALID, EXIT_FAILED,
		"the signature is not that of the data"},
	[ERROR_NO_SERVICE] = {PREFIX "NoService", CKR_DEVICE_ERROR, EXIT_SERVICE,
		"tesserad is not running"},
	[ERROR_LIMIT_REACHED] = {PREFIX "LimitReached", CKR_ACTION_PROHIBITED, EXIT_STATE,
		"no more cards may be managed"},
	[ERROR_INVALID_LICENCE] = {PREFIX "InvalidLicence", CKR_ARGUMENTS_BAD, EXIT_USAGE,
		"the licence is not valid"},
	[ERROR_NETWORK_FAILED] = {PREFIX "NetworkFailed", CKR_DEVICE_ERROR, EXIT_SERVICE,
		"a service on the network failed"},
};

static void set(struct error *error, enum error_code code, const char *field, const char *format,
	va_list arguments)
{
	char *message = NULL;

	if (vasprintf(&message, format, arguments) < 0)
		message = NULL; /* error_message() then answers from the table */
	char *copy = field ? strdup(field) : NULL;
	error_clear(error);
	*error = (struct error){.code = code, .message = message, .field = copy};
}

bool error_set(struct error *error, enum error_code code, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return false;
	va_start(arguments, format);
	set(error, code, NULL, format, arguments);
	va_end(arguments);
	return false;
}

bool error_set_field(
	struct error *error, enum error_code code, const char *field, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return false;
	va_start(arguments, format);
	set(error, code, field, format, arguments);
	va_end(arguments);
	return false;
}

bool error_set_refused(struct error *error, unsigned long ckr, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return false;
	va_start(arguments, format);
	set(error, ERROR_TOKEN_REFUSED, NULL, format, arguments);
	va_end(arguments);
	error->ckr = ckr;
	return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
	va_list arguments;
	_cleanup_free_ char *context = NULL;
	char *message = NULL;

	if (!error)
		return false;
	va_start(arguments, format);
	if (vasprintf(&context, format, arguments) < 0)
		context = NULL;
	va_end(arguments);
	if (context && asprintf(&message, "%s: %s", context, error_message(error)) >= 0) {
		free(error->message);
		error->message = message;
	}
	return false;
}

bool error_set_detail(struct error *error, long detail)
{
	if (error)
		error->detail = detail;
	return false;
}

bool error_move(struct error *to, struct error *from)
{
	if (to) {
		error_clear(to);
		*to = *from;
		*from = (struct error)ERROR_INIT;
	} else {
		error_clear(from);
	}
	return false;
}

void error_clear(struct error *error)
{
	free(error->message);
	free(error->field);
	*error = (struct error)ERROR_INIT;
}

const char *error_message(const struct error *error)
{
	return error->message ? error->message : codes[error->code].message;
}

const char *error_dbus_name(enum error_code code)
{
	return codes[code].dbus_name;
}

const char *error_name(enum error_code code)
{
	return codes[code].dbus_name + strlen(PREFIX);
}

enum error_code error_from_dbus_name(const char *name)
{
	for (enum error_code code = ERROR_FAILED; name && code < ERROR_CODE_COUNT; code++) {
		if (strcmp(codes[code].dbus_name, name) == 0)
			return code;
	}
	return ERROR_FAILED;
}

unsigned long error_ckr(enum error_code code)
{
	return codes[code].ckr;
}

int error_exit_status(enum error_code code)
{
	return codes[code].exit_status;
}
