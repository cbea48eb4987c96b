/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/pkcs11/fake-slot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <p11-kit/pkcs11.h>

#include "common/buffer.h"
#include "common/macros.h"

#define ERROR_PREFIX	   "org.tessera1.Error."
#define OBJECTS_MAXIMUM	   64
#define ATTRIBUTES_MAXIMUM 16
#define SESSION_NUMBERS	   0x80000000U

struct attribute {
	dbus_uint32_t type;
	int length;
	unsigned char value[256];
};

static struct object {
	dbus_uint32_t number; /* 0: none */
	size_t count;
	struct attribute attributes[ATTRIBUTES_MAXIMUM];
	unsigned char secret[64];
	int secret_length;
} objects[OBJECTS_MAXIMUM];

static dbus_uint64_t generation = 100;
static dbus_uint32_t last_number;
static bool refusing;

dbus_uint64_t fake_slot_generation(void)
{
	return generation;
}

void fake_slot_refuse(void)
{
	refusing = true;
}

static struct object *find(dbus_uint32_t number)
{
	for (size_t i = 0; number && i < OBJECTS_MAXIMUM; i++) {
		if (objects[i].number == number)
			return &objects[i];
	}
	return NULL;
}

static struct attribute *find_attribute(struct object *object, CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0; i < object->count; i++) {
		if (object->attributes[i].type == type)
			return &object->attributes[i];
	}
	return NULL;
}

static void set(struct object *object, CK_ATTRIBUTE_TYPE type, const void *value, int length)
{
	struct attribute *attribute = find_attribute(object, type);

	if (type == CKA_VALUE) {
		memcpy(object->secret, value, (size_t)length);
		object->secret_length = length;
		return;
	}
	if (!attribute)
		attribute = &object->attributes[object->count++];
	attribute->type = (dbus_uint32_t)type;
	attribute->length = length;
	memcpy(attribute->value, value, (size_t)length);
}

static void set_missing(struct object *object, CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
	if (!find_attribute(object, type))
		set(object, type, &value, sizeof(value));
}

/* --- messages --- */

static void append_bytes(DBusMessageIter *to, const unsigned char *data, int length)
{
	DBusMessageIter bytes;

	dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, "y", &bytes);
	dbus_message_iter_append_fixed_array(&bytes, DBUS_TYPE_BYTE, &data, length);
	dbus_message_iter_close_container(to, &bytes);
}

static DBusMessage *failure(DBusMessage *call, const char *name)
{
	char full[100];

	snprintf(full, sizeof(full), ERROR_PREFIX "%s", name);
	return dbus_message_new_error(call, full, "the test wants this");
}

static DBusMessage *answer_bytes(DBusMessage *call, const unsigned char *data, int length)
{
	DBusMessage *reply = dbus_message_new_method_return(call);
	DBusMessageIter arguments;

	dbus_message_iter_init_append(reply, &arguments);
	append_bytes(&arguments, data, length);
	return reply;
}

static dbus_uint32_t next_u32(DBusMessageIter *arguments)
{
	dbus_uint32_t value = 0;

	if (dbus_message_iter_get_arg_type(arguments) == DBUS_TYPE_UINT32)
		dbus_message_iter_get_basic(arguments, &value);
	dbus_message_iter_next(arguments);
	return value;
}

static struct reader next_bytes(DBusMessageIter *arguments)
{
	DBusMessageIter bytes;
	const uint8_t *data = NULL;
	int length = 0;

	dbus_message_iter_recurse(arguments, &bytes);
	dbus_message_iter_get_fixed_array(&bytes, &data, &length);
	dbus_message_iter_next(arguments);
	return (struct reader)READER_INIT(data, (size_t)length);
}

/* Takes the attributes that are the next argument into the object. */
static void take_attributes(DBusMessageIter *arguments, struct object *object)
{
	DBusMessageIter array, fields;

	dbus_message_iter_recurse(arguments, &array);
	while (dbus_message_iter_get_arg_type(&array) == DBUS_TYPE_STRUCT) {
		dbus_message_iter_recurse(&array, &fields);
		dbus_uint32_t type = next_u32(&fields);
		struct reader value = next_bytes(&fields);
		set(object, type, value.data, (int)value.length);
		dbus_message_iter_next(&array);
	}
	dbus_message_iter_next(arguments);
}

static void append_object(DBusMessageIter *array, const struct object *object)
{
	const char *label = "";
	dbus_uint32_t flags = 0;
	DBusMessageIter fields, attributes, pair;

	dbus_message_iter_open_container(array, DBUS_TYPE_STRUCT, NULL, &fields);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_UINT32, &object->number);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_STRING, &label);
	append_bytes(&fields, (const unsigned char *)"", 0);
	append_bytes(&fields, (const unsigned char *)"", 0);
	dbus_message_iter_append_basic(&fields, DBUS_TYPE_UINT32, &flags);
	dbus_message_iter_open_container(&fields, DBUS_TYPE_ARRAY, "(uay)", &attributes);
	for (size_t i = 0; i < object->count; i++) {
		const struct attribute *attribute = &object->attributes[i];
		dbus_message_iter_open_container(&attributes, DBUS_TYPE_STRUCT, NULL, &pair);
		dbus_message_iter_append_basic(&pair, DBUS_TYPE_UINT32, &attribute->type);
		append_bytes(&pair, attribute->value, attribute->length);
		dbus_message_iter_close_container(&attributes, &pair);
	}
	dbus_message_iter_close_container(&fields, &attributes);
	dbus_message_iter_close_container(array, &fields);
}

/* One more or less than in the list is what tells them apart: all in one page. */
static DBusMessage *get_objects(DBusMessage *call, dbus_uint32_t after)
{
	DBusMessage *reply = dbus_message_new_method_return(call);
	const dbus_uint32_t end = 0;
	DBusMessageIter arguments, array;

	dbus_message_iter_init_append(reply, &arguments);
	dbus_message_iter_append_basic(&arguments, DBUS_TYPE_UINT64, &generation);
	dbus_message_iter_append_basic(&arguments, DBUS_TYPE_UINT32, &end);
	dbus_message_iter_open_container(&arguments, DBUS_TYPE_ARRAY, "(usayayua(uay))", &array);
	for (size_t i = 0; i < OBJECTS_MAXIMUM; i++) {
		if (objects[i].number > after)
			append_object(&array, &objects[i]);
	}
	dbus_message_iter_close_container(&arguments, &array);
	return reply;
}

static DBusMessage *get_mechanisms(DBusMessage *call)
{
	static const dbus_uint32_t known[][4] = {
		{CKM_AES_KEY_GEN, 16, 32, CKF_GENERATE},
		{CKM_AES_ECB, 16, 32, CKF_ENCRYPT | CKF_DECRYPT},
		{CKM_AES_CBC, 16, 32, CKF_ENCRYPT | CKF_DECRYPT},
		{CKM_AES_CBC_PAD, 16, 32, CKF_ENCRYPT | CKF_DECRYPT},
		{CKM_AES_CTR, 16, 32, CKF_ENCRYPT | CKF_DECRYPT},
		{CKM_AES_GCM, 16, 32, 0}, /* this token does not tell what it is for */
		{CKM_SHA256_HMAC, 16, 32, CKF_SIGN | CKF_VERIFY},
		{CKM_MD2, 0, 0, CKF_DIGEST},
	};
	DBusMessage *reply = dbus_message_new_method_return(call);
	DBusMessageIter arguments, array, fields;

	dbus_message_iter_init_append(reply, &arguments);
	dbus_message_iter_open_container(&arguments, DBUS_TYPE_ARRAY, "(uuuu)", &array);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		dbus_message_iter_open_container(&array, DBUS_TYPE_STRUCT, NULL, &fields);
		for (size_t j = 0; j < 4; j++)
			dbus_message_iter_append_basic(&fields, DBUS_TYPE_UINT32, &known[i][j]);
		dbus_message_iter_close_container(&array, &fields);
	}
	dbus_message_iter_close_container(&arguments, &array);
	return reply;
}

/* --- changes --- */

static DBusMessage *answer_change(DBusMessage *call, dbus_uint32_t number, bool of_token)
{
	DBusMessage *reply = dbus_message_new_method_return(call);
	dbus_uint64_t before = generation;

	generation += of_token ? 3 : 0; /* other tokens count, too */
	if (number)
		dbus_message_append_args(reply, DBUS_TYPE_UINT32, &number, DBUS_TYPE_INVALID);
	dbus_message_append_args(
		reply, DBUS_TYPE_UINT64, &before, DBUS_TYPE_UINT64, &generation, DBUS_TYPE_INVALID);
	return reply;
}

static bool is_of_token(struct object *object)
{
	const struct attribute *token = find_attribute(object, CKA_TOKEN);

	return token && token->value[0];
}

static DBusMessage *finish_new(DBusMessage *call, struct object *object)
{
	set_missing(object, CKA_TOKEN, CK_FALSE);
	set_missing(object, CKA_PRIVATE, CK_FALSE);
	set_missing(object, CKA_SENSITIVE, CK_FALSE);
	set_missing(object, CKA_EXTRACTABLE, CK_TRUE);
	object->number = ++last_number | (is_of_token(object) ? 0 : SESSION_NUMBERS);
	return answer_change(call, object->number, is_of_token(object));
}

static struct object *free_place(void)
{
	for (size_t i = 0; i < OBJECTS_MAXIMUM; i++) {
		if (!objects[i].number) {
			objects[i] = (struct object){0};
			return &objects[i];
		}
	}
	return NULL;
}

static DBusMessage *create(DBusMessage *call, DBusMessageIter *arguments)
{
	struct object *object = free_place();

	take_attributes(arguments, object);
	return finish_new(call, object);
}

static DBusMessage *copy(DBusMessage *call, DBusMessageIter *arguments)
{
	const struct object *from = find(next_u32(arguments));
	struct object *object = free_place();

	if (!from)
		return failure(call, "NotFound");
	*object = *from;
	take_attributes(arguments, object);
	return finish_new(call, object);
}

static DBusMessage *set_attributes(DBusMessage *call, DBusMessageIter *arguments)
{
	struct object *object = find(next_u32(arguments));

	if (!object)
		return failure(call, "NotFound");
	take_attributes(arguments, object);
	return answer_change(call, 0, is_of_token(object));
}

static DBusMessage *destroy(DBusMessage *call, DBusMessageIter *arguments)
{
	struct object *object = find(next_u32(arguments));

	if (!object)
		return failure(call, "NotFound");
	object->number = 0;
	return answer_change(call, 0, is_of_token(object));
}

static DBusMessage *generate(DBusMessage *call, DBusMessageIter *arguments)
{
	static const CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	static const CK_KEY_TYPE type = CKK_AES;
	struct object *object = free_place();

	next_u32(arguments);
	next_bytes(arguments);
	set(object, CKA_CLASS, &class, sizeof(class));
	set(object, CKA_KEY_TYPE, &type, sizeof(type));
	set_missing(object, CKA_ENCRYPT, CK_TRUE);
	set_missing(object, CKA_DECRYPT, CK_TRUE);
	take_attributes(arguments, object);
	memset(object->secret, 7, 32);
	object->secret_length = 32;
	return finish_new(call, object);
}

/* --- uses --- */

static const EVP_CIPHER *cipher_of(dbus_uint32_t mechanism)
{
	switch (mechanism) {
	case CKM_AES_ECB:
		return EVP_aes_256_ecb();
	case CKM_AES_CTR:
		return EVP_aes_256_ctr();
	case CKM_AES_GCM:
		return EVP_aes_256_gcm();
	default:
		return EVP_aes_256_cbc();
	}
}

static bool run_gcm(EVP_CIPHER_CTX *context, const struct object *key, struct reader parameter,
	struct reader input, bool encrypts, struct buffer *output)
{
	size_t tag = reader_u32(&parameter) / 8, iv_length = reader_u32(&parameter);
	const uint8_t *iv = reader_bytes(&parameter, iv_length);
	size_t length = encrypts ? input.length : input.length - tag;
	uint8_t *room = buffer_extend(output, length + (encrypts ? tag : 0));
	int size;

	EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, NULL, NULL, encrypts);
	EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, (int)iv_length, NULL);
	EVP_CipherInit_ex(context, NULL, NULL, key->secret, iv, encrypts);
	EVP_CipherUpdate(context, NULL, &size, parameter.data + parameter.position,
		(int)reader_left(&parameter));
	EVP_CipherUpdate(context, room, &size, input.data, (int)length);
	if (!encrypts)
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, (int)tag,
			(void *)(uintptr_t)(input.data + length));
	bool done = EVP_CipherFinal_ex(context, room + length, &size) > 0;
	if (encrypts)
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, (int)tag, room + length);
	return done;
}

static bool run_cipher(EVP_CIPHER_CTX *context, const struct object *key, dbus_uint32_t mechanism,
	struct reader parameter, struct reader input, bool encrypts, struct buffer *output)
{
	uint8_t *room = buffer_extend(output, input.length + 32);
	int size = 0, last = 0;

	if (mechanism == CKM_AES_CTR)
		reader_u32(&parameter);
	const uint8_t *iv = parameter.data + parameter.position;
	EVP_CipherInit_ex(context, cipher_of(mechanism), NULL, key->secret, iv, encrypts);
	EVP_CIPHER_CTX_set_padding(context, mechanism == CKM_AES_CBC_PAD);
	EVP_CipherUpdate(context, room, &size, input.data, (int)input.length);
	bool done = EVP_CipherFinal_ex(context, room + size, &last) > 0;
	buffer_truncate(output, (size_t)(size + last));
	return done;
}

static bool encrypt(const struct object *key, dbus_uint32_t mechanism, struct reader parameter,
	struct reader input, bool encrypts, struct buffer *output)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	bool done =
		mechanism == CKM_AES_GCM
			? run_gcm(context, key, parameter, input, encrypts, output)
			: run_cipher(context, key, mechanism, parameter, input, encrypts, output);

	EVP_CIPHER_CTX_free(context);
	return done;
}

static void make_mac(const struct object *key, struct reader input, unsigned char *mac)
{
	unsigned length = 32;

	HMAC(EVP_sha256(), key->secret, key->secret_length, input.data, input.length, mac, &length);
}

bool fake_slot_compute(dbus_uint32_t number, const char *operation, dbus_uint32_t mechanism,
	struct reader parameter, struct reader input, struct buffer *output)
{
	const struct object *key = find(number);
	bool encrypts = strcmp(operation, "encrypt") == 0;
	unsigned char mac[32];

	if (!key)
		return false;
	if (encrypts || strcmp(operation, "decrypt") == 0)
		return encrypt(key, mechanism, parameter, input, encrypts, output);
	make_mac(key, input, mac);
	buffer_append(output, mac, sizeof(mac));
	return true;
}

static DBusMessage *use(DBusMessage *call, DBusMessageIter *arguments, struct reader input)
{
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;
	dbus_uint32_t key = next_u32(arguments);
	const char *operation = "";

	dbus_message_iter_get_basic(arguments, &operation);
	dbus_message_iter_next(arguments);
	dbus_uint32_t mechanism = next_u32(arguments);
	struct reader parameter = next_bytes(arguments);
	if (!find(key))
		return failure(call, "NotFound");
	return fake_slot_compute(key, operation, mechanism, parameter, input, &output)
		       ? answer_bytes(call, output.data, (int)output.length)
		       : failure(call, "DataInvalid");
}

static DBusMessage *verify(
	DBusMessage *call, DBusMessageIter *arguments, struct reader data, struct reader signature)
{
	const struct object *key = find(next_u32(arguments));
	unsigned char mac[32];

	if (!key)
		return failure(call, "NotFound");
	make_mac(key, data, mac);
	return signature.length == sizeof(mac) && memcmp(mac, signature.data, sizeof(mac)) == 0
		       ? dbus_message_new_method_return(call)
		       : failure(call, "SignatureInvalid");
}

static DBusMessage *get_random(DBusMessage *call, dbus_uint32_t length)
{
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT;

	buffer_fill(&bytes, 0x5A, length);
	return answer_bytes(call, bytes.data, (int)bytes.length);
}

static DBusMessage *refuse(DBusMessage *call)
{
	DBusMessage *reply = failure(call, "TokenRefused");
	dbus_uint32_t rv = CKR_TEMPLATE_INCONSISTENT;

	refusing = false;
	dbus_message_append_args(reply, DBUS_TYPE_UINT32, &rv, DBUS_TYPE_INVALID);
	return reply;
}

static DBusMessage *change(DBusMessage *call, DBusMessageIter *arguments, const char *member)
{
	static const struct {
		const char *name;
		DBusMessage *(*answer)(DBusMessage *, DBusMessageIter *);
	} changes[] = {
		{"CreateObject", create},
		{"CopyObject", copy},
		{"SetAttributes", set_attributes},
		{"DestroyObject", destroy},
		{"GenerateKey", generate},
	};

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		if (strcmp(changes[i].name, member) == 0)
			return refusing ? refuse(call) : changes[i].answer(call, arguments);
	}
	return failure(call, "NotSupported");
}

DBusMessage *fake_slot_answer(DBusMessage *call)
{
	const char *member = dbus_message_get_member(call);
	bool is_use = strcmp(member, "UseKey") == 0,
	     is_verify = strcmp(member, "VerifyWithKey") == 0;
	struct reader input = {0}, signature = {0};
	DBusMessageIter arguments;

	DBusMessage *of_stream = fake_stream_answer(call);
	if (of_stream || !dbus_message_iter_init(call, &arguments))
		return of_stream;
	if (is_use || is_verify)
		input = next_bytes(&arguments);
	if (is_verify)
		signature = next_bytes(&arguments);
	if (next_u32(&arguments) != FAKE_SLOT)
		return NULL;
	if (is_use)
		return use(call, &arguments, input);
	if (is_verify)
		return verify(call, &arguments, input, signature);
	if (strcmp(member, "GetMechanisms") == 0)
		return get_mechanisms(call);
	if (strcmp(member, "GetObjects") == 0)
		return get_objects(call, next_u32(&arguments));
	if (strcmp(member, "GetRandom") == 0)
		return get_random(call, next_u32(&arguments));
	if (strcmp(member, "GetSecretValue") == 0) {
		const struct object *object = find(next_u32(&arguments));
		return object ? answer_bytes(call, object->secret, object->secret_length)
			      : failure(call, "NotFound");
	}
	return change(call, &arguments, member);
}
