/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Made with RSA_METHOD and EC_KEY_METHOD. OpenSSL 3 calls them deprecated but
 * takes a key with a foreign method to its older code, which works for every
 * signing function alike; a provider would have to be loaded by name into the
 * library context of all callers.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "core/signing-key.h"

#include <pthread.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "common/alloc.h"

/* What hangs at the RSA or EC_KEY; freed with it. */
struct operation {
	signing_function sign, decipher; /* one is NULL */
	void *context;
};

DEFINE_CLEANUP(RSA *, RSA_free);
DEFINE_CLEANUP(EC_KEY *, EC_KEY_free);

static pthread_once_t methods_once = PTHREAD_ONCE_INIT;
static RSA_METHOD *rsa_method; /* these are set by methods_make() and live on */
static EC_KEY_METHOD *ec_method;
static int rsa_index, ec_index;	     /* of struct operation in the keys' extra data */
static pthread_key_t last_error_key; /* struct error of the last failed call, per thread */

static void last_error_free(void *pointer)
{
	struct error *error = pointer;

	error_clear(error);
	free(error);
}

static struct error *last_error(void)
{
	struct error *error = pthread_getspecific(last_error_key);

	if (!error) {
		error = xnew(struct error);
		pthread_setspecific(last_error_key, error);
	}
	error_clear(error);
	return error;
}

static void operation_free(
	void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
	(void)parent, (void)data, (void)index, (void)argl, (void)argp;
	free(pointer);
}

/* Runs a private-key operation; the output must have the expected length. */
static bool function_run(signing_function function, void *context, const uint8_t *input,
	size_t length, struct buffer *output, size_t expected)
{
	struct error *error = last_error();

	if (!function)
		return error_set(error, ERROR_FAILED, "the key is not for this use");
	if (!function(context, input, length, output, error))
		return false;
	if (output->failed || output->length != expected)
		return error_set(error, ERROR_FAILED, "the key gave %zu bytes, not %zu",
			output->length, expected);
	return true;
}

static bool operation_sign(const struct operation *operation, const uint8_t *input, size_t length,
	struct buffer *output, size_t expected)
{
	return operation &&
	       function_run(operation->sign, operation->context, input, length, output, expected);
}

static bool operation_decipher(const struct operation *operation, const uint8_t *input,
	size_t length, struct buffer *output, size_t expected)
{
	return operation && function_run(operation->decipher, operation->context, input, length,
				    output, expected);
}

/* RSA_private_encrypt(): pads what is not padded yet and has the block signed. */
static int rsa_private_encrypt(
	int length, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
	_cleanup_buffer_ struct buffer block = BUFFER_INIT, output = BUFFER_INIT;
	int size = RSA_size(rsa);
	uint8_t *padded = buffer_extend(&block, (size_t)size);
	int done = 0;

	if (!padded)
		return -1;
	if (padding == RSA_PKCS1_PADDING)
		done = RSA_padding_add_PKCS1_type_1(padded, size, from, length);
	else if (padding == RSA_NO_PADDING)
		done = RSA_padding_add_none(padded, size, from, length);
	if (done != 1)
		return -1;
	if (!operation_sign(RSA_get_ex_data(rsa, rsa_index), block.data, block.length, &output,
		    (size_t)size)) {
		ERR_raise(ERR_LIB_RSA, ERR_R_OPERATION_FAIL);
		return -1;
	}
	memcpy(to, output.data, output.length);
	return size;
}

static ECDSA_SIG *ec_sign(const unsigned char *digest, int length, const BIGNUM *inverse,
	const BIGNUM *r_given, EC_KEY *key)
{
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;
	size_t size = ((size_t)EC_GROUP_order_bits(EC_KEY_get0_group(key)) + 7) / 8;
	size_t used = (size_t)length < size ? (size_t)length : size;

	(void)inverse, (void)r_given;
	if (!operation_sign(EC_KEY_get_ex_data(key, ec_index), digest, used, &output, 2 * size)) {
		ERR_raise(ERR_LIB_EC, ERR_R_OPERATION_FAIL);
		return NULL;
	}
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(output.data, (int)size, NULL);
	BIGNUM *s = BN_bin2bn(output.data + size, (int)size, NULL);
	if (signature && r && s && ECDSA_SIG_set0(signature, r, s))
		return signature;
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(signature);
	return NULL;
}

/* RSA_private_decrypt(): has the block deciphered and takes the padding off. */
static int rsa_private_decrypt(
	int length, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;
	int size = RSA_size(rsa);

	if (!operation_decipher(
		    RSA_get_ex_data(rsa, rsa_index), from, (size_t)length, &output, (size_t)size)) {
		ERR_raise(ERR_LIB_RSA, ERR_R_OPERATION_FAIL);
		return -1;
	}
	int done = -1;
	if (padding == RSA_PKCS1_PADDING)
		done = RSA_padding_check_PKCS1_type_2(to, size, output.data, size, size);
	else if (padding == RSA_NO_PADDING)
		done = RSA_padding_check_none(to, size, output.data, size, size);
	OPENSSL_cleanse(output.data, output.length);
	return done;
}

/* ECDH_compute_key(): the x coordinate, for the caller to free. */
static int ec_compute_key(
	unsigned char **secret, size_t *length, const EC_POINT *point, const EC_KEY *key)
{
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;
	const EC_GROUP *group = EC_KEY_get0_group(key);
	size_t size = ((size_t)EC_GROUP_get_degree(group) + 7) / 8;
	unsigned char *peer = NULL;
	size_t peer_length =
		EC_POINT_point2buf(group, point, POINT_CONVERSION_UNCOMPRESSED, &peer, NULL);
	bool done = peer_length > 0 && operation_decipher(EC_KEY_get_ex_data(key, ec_index), peer,
					       peer_length, &output, size);

	OPENSSL_free(peer);
	if (!done) {
		ERR_raise(ERR_LIB_EC, ERR_R_OPERATION_FAIL);
		return 0;
	}
	*secret = OPENSSL_memdup(output.data, output.length);
	*length = output.length;
	OPENSSL_cleanse(output.data, output.length);
	return *secret != NULL;
}

static void methods_make(void)
{
	int (*sign)(int, const unsigned char *, int, unsigned char *, unsigned int *,
		const BIGNUM *, const BIGNUM *, EC_KEY *);

	pthread_key_create(&last_error_key, last_error_free);
	rsa_index = RSA_get_ex_new_index(0, NULL, NULL, NULL, operation_free);
	ec_index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, operation_free);
	rsa_method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
	ec_method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	if (!rsa_method || !ec_method || rsa_index < 0 || ec_index < 0)
		abort();
	RSA_meth_set1_name(rsa_method, "Tessera");
	RSA_meth_set_priv_enc(rsa_method, rsa_private_encrypt);
	RSA_meth_set_priv_dec(rsa_method, rsa_private_decrypt);
	/* The default one makes DER from what sign_sig gives. */
	EC_KEY_METHOD_get_sign(ec_method, &sign, NULL, NULL);
	EC_KEY_METHOD_set_sign(ec_method, sign, NULL, ec_sign);
	EC_KEY_METHOD_set_compute_key(ec_method, ec_compute_key);
}

static EVP_PKEY *rsa_wrap(EVP_PKEY *public_key, struct operation *operation)
{
	RSA *source _cleanup_(RSA_freep) = EVP_PKEY_get1_RSA(public_key);
	RSA *rsa _cleanup_(RSA_freep) = RSA_new();
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = EVP_PKEY_new();

	if (!source || !rsa || !key || !RSA_set_method(rsa, rsa_method))
		return NULL;
	BIGNUM *n = BN_dup(RSA_get0_n(source)), *e = BN_dup(RSA_get0_e(source));
	if (!n || !e || !RSA_set0_key(rsa, n, e, NULL)) {
		BN_free(n);
		BN_free(e);
		return NULL;
	}
	if (!EVP_PKEY_set1_RSA(key, rsa) || !RSA_set_ex_data(rsa, rsa_index, operation))
		return NULL;
	return steal_pointer(&key);
}

static EVP_PKEY *ec_wrap(EVP_PKEY *public_key, struct operation *operation)
{
	EC_KEY *source _cleanup_(EC_KEY_freep) = EVP_PKEY_get1_EC_KEY(public_key);
	EC_KEY *ec _cleanup_(EC_KEY_freep) = EC_KEY_new();
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = EVP_PKEY_new();

	if (!source || !ec || !key || !EC_KEY_set_method(ec, ec_method) ||
		!EC_KEY_set_group(ec, EC_KEY_get0_group(source)) ||
		!EC_KEY_set_public_key(ec, EC_KEY_get0_public_key(source)) ||
		!EVP_PKEY_set1_EC_KEY(key, ec) || !EC_KEY_set_ex_data(ec, ec_index, operation))
		return NULL;
	return steal_pointer(&key);
}

static EVP_PKEY *key_new(
	EVP_PKEY *public_key, const struct operation *operation_given, struct error *error)
{
	int type = EVP_PKEY_get_base_id(public_key);
	EVP_PKEY *key;

	pthread_once(&methods_once, methods_make);
	if (type != EVP_PKEY_RSA && type != EVP_PKEY_EC) {
		error_set(error, ERROR_NOT_SUPPORTED, "keys of this type are not used here");
		return NULL;
	}
	struct operation *operation = xnew(struct operation);
	*operation = *operation_given;
	key = type == EVP_PKEY_RSA ? rsa_wrap(public_key, operation)
				   : ec_wrap(public_key, operation);
	if (key)
		return key;
	free(operation);
	signing_key_error(ERROR_FAILED, "preparing a key", error);
	return NULL;
}

EVP_PKEY *signing_key_new(
	EVP_PKEY *public_key, signing_function sign, void *context, struct error *error)
{
	const struct operation operation = {.sign = sign, .context = context};

	return key_new(public_key, &operation, error);
}

EVP_PKEY *deciphering_key_new(
	EVP_PKEY *public_key, signing_function decipher, void *context, struct error *error)
{
	const struct operation operation = {.decipher = decipher, .context = context};

	return key_new(public_key, &operation, error);
}

bool signing_key_error(enum error_code fallback, const char *what, struct error *error)
{
	char text[256];

	pthread_once(&methods_once, methods_make);
	struct error *last = pthread_getspecific(last_error_key);
	if (last && last->code != ERROR_NONE) {
		ERR_clear_error();
		error_move(error, last);
		return error_prefix(error, "%s", what);
	}
	unsigned long code = ERR_peek_last_error();
	ERR_clear_error();
	if (code == 0)
		return error_set(error, fallback, "%s failed", what);
	ERR_error_string_n(code, text, sizeof(text));
	return error_set(error, fallback, "%s: %s", what, text);
}
