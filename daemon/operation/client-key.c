/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/client-key.h"

#include <string.h>

#include <p11-kit/uri.h>

#include "common/alloc.h"
#include "core/signing-key.h"
#include "operation/slots.h"

DEFINE_CLEANUP(P11KitUri *, p11_kit_uri_free);

/* A key in use; the EVP_PKEY calls it back. */
struct client_key {
	struct slot *slot;
	uint32_t object;
	bool is_rsa;
	EVP_PKEY *key;
};

void client_key_close(void *handle)
{
	struct client_key *client = handle;

	if (!client)
		return;
	EVP_PKEY_free(client->key);
	slot_unref(client->slot);
	free(client);
}

static bool sign(void *context, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error)
{
	const struct client_key *client = context;
	struct hsm *hsm = slot_hsm(client->slot, error);
	const struct hsm_request request = {.operation = HSM_SIGN,
		.object = client->object,
		.mechanism = client->is_rsa ? CKM_RSA_X_509 : CKM_ECDSA,
		.input = READER_INIT(input, length)};
	struct hsm_reply reply = {.output = output};

	return hsm && hsm_call(hsm, NULL, &request, &reply, error);
}

/* --- finding it --- */

/* Text of fixed length with spaces, or nothing but zeros, behind it; "" when it was not given. */
static char *padded_text(const unsigned char *text, size_t size)
{
	size_t length = strnlen((const char *)text, size);

	while (length > 0 && text[length - 1] == ' ')
		length--;
	return xasprintf("%.*s", (int)length, (const char *)text);
}

static bool is_token(struct hsm *hsm, P11KitUri *uri)
{
	const CK_TOKEN_INFO *wanted = p11_kit_uri_get_token_info(uri);
	struct hsm_information information _cleanup_(hsm_information_clear) = {0};
	_cleanup_free_ char *label = padded_text(wanted->label, sizeof(wanted->label));
	_cleanup_free_ char *serial =
		padded_text(wanted->serialNumber, sizeof(wanted->serialNumber));

	hsm_information(hsm, &information);
	return strcmp(label, information.label) == 0 &&
	       (!serial[0] || strcmp(serial, information.serial) == 0);
}

static uint32_t find_object(struct hsm *hsm, P11KitUri *uri)
{
	const CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(uri, CKA_LABEL);
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);

	for (size_t i = 0; i < objects->count; i++) {
		const struct hsm_object *object = objects->items[i];
		if (object->object_class == CKO_PRIVATE_KEY &&
			strlen(object->label) == label->ulValueLen &&
			memcmp(object->label, label->pValue, label->ulValueLen) == 0)
			return object->number;
	}
	return 0;
}

static struct client_key *find_key(
	struct services *services, P11KitUri *uri, const char *text, struct error *error)
{
	struct client_key *client = NULL;
	size_t count;
	struct slot **list = slots_list(services->slots, &count);

	for (size_t i = 0; i < count && !client; i++) {
		struct hsm *hsm = slot_hsm(list[i], NULL);
		uint32_t object =
			hsm && slot_record(list[i])->pin != SLOT_PIN_CALLER && is_token(hsm, uri)
				? find_object(hsm, uri)
				: 0;
		if (object == 0)
			continue;
		client = xnew(struct client_key);
		client->slot = slot_ref(list[i]);
		client->object = object;
	}
	slots_list_free(list, count);
	if (!client)
		error_set(error, ERROR_NOT_FOUND,
			"no slot whose PIN tesserad has shows the private key %s", text);
	return client;
}

static P11KitUri *parse(const char *text, struct error *error)
{
	P11KitUri *uri _cleanup_(p11_kit_uri_freep) = p11_kit_uri_new();

	if (uri &&
		p11_kit_uri_parse(text, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, uri) == P11_KIT_URI_OK &&
		!p11_kit_uri_any_unrecognized(uri) && !p11_kit_uri_get_pin_value(uri) &&
		p11_kit_uri_get_attribute(uri, CKA_LABEL))
		return steal_pointer(&uri);
	error_set(error, ERROR_INVALID_ARGUMENT,
		"a key is named by pkcs11:token=LABEL;object=LABEL, without a PIN");
	return NULL;
}

bool client_key_open(void *context, const char *uri, EVP_PKEY *public_key, EVP_PKEY **key,
	void **handle, struct error *error)
{
	P11KitUri *parsed _cleanup_(p11_kit_uri_freep) = parse(uri, error);
	struct client_key *client = parsed ? find_key(context, parsed, uri, error) : NULL;

	if (!client)
		return false;
	client->is_rsa = EVP_PKEY_is_a(public_key, "RSA");
	client->key = signing_key_new(public_key, sign, client, error);
	if (!client->key) {
		client_key_close(client);
		return false;
	}
	*key = client->key;
	*handle = client;
	return true;
}
