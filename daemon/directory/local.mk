# daemon/directory
libtesserad_la_SOURCES += \
	daemon/directory/active-directory.c daemon/directory/active-directory.h \
	daemon/directory/active-directory-private.h \
	daemon/directory/active-directory-settings.c \
	daemon/directory/active-directory-test.c \
	daemon/directory/active-directory-values.c daemon/directory/active-directory-values.h \
	daemon/directory/directory.c daemon/directory/directory.h \
	daemon/directory/ldap.c daemon/directory/ldap.h daemon/directory/ldap-private.h \
	daemon/directory/ldap-authenticate.c \
	daemon/directory/ldap-bind.c \
	daemon/directory/ldap-entry.c daemon/directory/ldap-entry.h \
	daemon/directory/ldap-filter.c daemon/directory/ldap-filter.h \
	daemon/directory/ldap-follow.c daemon/directory/ldap-follow.h \
	daemon/directory/ldap-kerberos.c daemon/directory/ldap-kerberos.h \
	daemon/directory/ldap-link.c daemon/directory/ldap-link.h \
	daemon/directory/ldap-list.c \
	daemon/directory/ldap-long.c daemon/directory/ldap-long.h \
	daemon/directory/ldap-lookup.c daemon/directory/ldap-lookup.h \
	daemon/directory/ldap-people.c daemon/directory/ldap-people.h \
	daemon/directory/ldap-pool.c daemon/directory/ldap-pool.h \
	daemon/directory/ldap-reach.c daemon/directory/ldap-reach.h \
	daemon/directory/ldap-search.c \
	daemon/directory/ldap-settings.c \
	daemon/directory/ldap-test.c \
	daemon/directory/mapping.c daemon/directory/mapping.h \
	daemon/directory/person.c
