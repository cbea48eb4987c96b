/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon on D-Bus: the objects of org.tessera1, behind two doors with the
 * same objects: the system bus and the private socket (design, decision 2).
 */
#ifndef TESSERA_BUS_BUS_H
#define TESSERA_BUS_BUS_H

#include <uv.h>

#include "operation/services.h"

struct bus;

struct bus_options {
	const char *socket;	 /* path of the private socket */
	bool use_system_bus;	 /* false: the private socket only */
	const char *admin_group; /* name of the administrators' group, which need not exist */
};

/* options and services are kept, not copied; the loop is that of the thread that calls bus_start.
 */
struct bus *bus_new(struct services *services, const struct bus_options *options, uv_loop_t *loop);
/* Opens both doors. A system bus that is not there is waited for. ERROR_FAILED for the socket. */
bool bus_start(struct bus *bus, struct error *error);
/* Closes both doors and waits for the calls that are under way. */
void bus_stop(struct bus *bus);
/* After bus_stop(), once the loop has run out of handles and jobs and contacts are gone. */
void bus_free(struct bus *bus);

/* For contacts_new(), jobs_new() and slots_new(); the context is the bus. */
void bus_contact_changed(void *context, unsigned number, bool gone);
void bus_slots_changed(void *context, bool only_objects);
void bus_job_changed(void *context, unsigned id, bool finished);
/* For struct services_listener. */
void bus_person_changed(void *context, int64_t credential_id, const char *what);
void bus_people_missing(void *context, const char *connection, unsigned missing, unsigned count);
void bus_task_overdue(void *context, const struct task *task);

#endif
