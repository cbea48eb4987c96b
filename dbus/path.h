/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names as elements of object paths: letters and digits stay, any other byte
 * becomes _XX (two lower-case hex digits), the empty name is "_".
 */
#ifndef TESSERA_DBUS_PATH_H
#define TESSERA_DBUS_PATH_H

/* The path PREFIX/NAME with the name escaped. Heap; aborts when memory is out. */
char *path_of(const char *prefix, const char *name);
/* The name that an element of a path stands for, heap; NULL when path_of() never makes it. */
char *path_element_name(const char *element);
/* The name behind "PREFIX/", heap; NULL when path is no direct child of prefix. */
char *path_child_name(const char *prefix, const char *path);

#endif
