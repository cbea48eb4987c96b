/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of org.tessera1.Provider share. */
#ifndef TESSERA_BUS_PROVIDER_PRIVATE_H
#define TESSERA_BUS_PROVIDER_PRIVATE_H

#include "bus/bus-private.h"
#include "operation/provider.h"

/* The client that a call comes from. */
struct provider_client *provider_client_of(const struct bus_call *call);

/*
 * The PIN for one use: unset, without a secret's memory, for an empty array. Locked memory is dear:
 * most uses of keys come without a PIN.
 */
bool provider_read_pin(struct bus_call *call, struct secret *pin, struct error *error);

/* --- methods about the objects of slots (provider-object.c) --- */
bool get_mechanisms_call(struct bus_call *call, struct error *error);
bool verify_with_key_call(struct bus_call *call, struct error *error);
bool create_object_call(struct bus_call *call, struct error *error);
bool copy_object_call(struct bus_call *call, struct error *error);
bool set_attributes_call(struct bus_call *call, struct error *error);
bool destroy_object_call(struct bus_call *call, struct error *error);
bool generate_key_call(struct bus_call *call, struct error *error);
bool generate_key_pair_call(struct bus_call *call, struct error *error);
bool wrap_key_call(struct bus_call *call, struct error *error);
bool unwrap_key_call(struct bus_call *call, struct error *error);
bool derive_key_call(struct bus_call *call, struct error *error);
bool get_secret_value_call(struct bus_call *call, struct error *error);
bool get_random_call(struct bus_call *call, struct error *error);
bool seed_random_call(struct bus_call *call, struct error *error);
bool init_token_call(struct bus_call *call, struct error *error);

/* --- uses of keys whose input comes in parts (provider-stream.c) --- */
bool begin_use_call(struct bus_call *call, struct error *error);
bool continue_use_call(struct bus_call *call, struct error *error);
bool end_use_call(struct bus_call *call, struct error *error);
bool cancel_use_call(struct bus_call *call, struct error *error);

#endif
