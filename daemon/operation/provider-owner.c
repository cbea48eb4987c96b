/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client's own objects in slots: PKCS#11's session objects. */
#include "common/alloc.h"
#include "operation/provider-private.h"

struct slot_owner {
	struct slot *slot;
	struct hsm_owner *owner;
	struct slot_owner *next;
};

static struct hsm_owner *find(struct provider_client *client, const struct slot *slot)
{
	for (struct slot_owner *each = client->owners; each; each = each->next) {
		if (each->slot == slot)
			return each->owner;
	}
	return NULL;
}

struct hsm_owner *provider_owner(struct provider_client *client, struct slot *slot, bool make)
{
	struct hsm *hsm = slot_hsm(slot, NULL);

	pthread_mutex_lock(&client->owners_lock);
	struct hsm_owner *owner = find(client, slot);
	if (!owner && make && hsm) {
		struct slot_owner *fresh = xnew(struct slot_owner);
		owner = hsm_owner_new(hsm);
		*fresh = (struct slot_owner){slot_ref(slot), owner, client->owners};
		client->owners = fresh;
	}
	pthread_mutex_unlock(&client->owners_lock);
	return owner;
}

struct hsm_objects *provider_own_objects(struct provider_client *client, struct slot *slot)
{
	struct hsm_owner *owner = provider_owner(client, slot, false);

	return owner ? hsm_owner_objects(owner) : NULL;
}

void provider_log_out_owner(struct provider_client *client, struct slot *slot)
{
	struct hsm_owner *owner = provider_owner(client, slot, false);

	if (owner)
		hsm_owner_logout(owner);
}

void provider_end_owners(struct provider_client *client)
{
	while (client->owners) {
		struct slot_owner *each = client->owners;
		client->owners = each->next;
		hsm_owner_free(each->owner);
		slot_unref(each->slot);
		free(each);
	}
}
