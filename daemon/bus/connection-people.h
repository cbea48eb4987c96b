/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Methods of org.tessera1.Connection about the people of a directory (connection-people.c). */
#ifndef TESSERA_BUS_CONNECTION_PEOPLE_H
#define TESSERA_BUS_CONNECTION_PEOPLE_H

#include "dbus/service.h"

bool connection_search_call(struct bus_call *call, struct error *error);
bool connection_get_person_call(struct bus_call *call, struct error *error);
bool connection_find_person_call(struct bus_call *call, struct error *error);

#endif
