# tesserad: main.c, and all the rest as a library that the unit tests link too.
noinst_LTLIBRARIES += libtesserad.la
libtesserad_la_SOURCES =
libtesserad_la_CPPFLAGS = $(DAEMON_CPPFLAGS)
libtesserad_la_LIBADD = libdbus-layer.la libcommon.la $(DAEMON_LIBS)

DAEMON_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/daemon \
	$(DBUS_CFLAGS) $(OPENSSL_CFLAGS) $(PCSC_CFLAGS) $(P11KIT_CFLAGS) \
	$(JANSSON_CFLAGS) $(SQLITE_CFLAGS) $(UV_CFLAGS) $(ZLIB_CFLAGS) $(CURL_CFLAGS) \
	$(KRB5_CFLAGS) $(LIBXML2_CFLAGS) $(LDAP_CFLAGS)
DAEMON_LIBS = $(DBUS_LIBS) $(LIBSSL_LIBS) $(OPENSSL_LIBS) $(PCSC_LIBS) $(P11KIT_LIBS) \
	$(JANSSON_LIBS) $(SQLITE_LIBS) $(UV_LIBS) $(ZLIB_LIBS) $(CURL_LIBS) $(KRB5_LIBS) \
	$(LIBXML2_LIBS) $(LDAP_LIBS) -lpthread

include daemon/model/local.mk
include daemon/core/local.mk
include daemon/store/local.mk
include daemon/card/local.mk
include daemon/token/local.mk
include daemon/audit/local.mk
include daemon/keys/local.mk
include daemon/connection/local.mk
include daemon/authority/local.mk
include daemon/directory/local.mk
include daemon/operation/local.mk
include daemon/bus/local.mk

sbin_PROGRAMS += tesserad
tesserad_SOURCES = daemon/main.c
tesserad_CPPFLAGS = $(DAEMON_CPPFLAGS)
tesserad_LDADD = libtesserad.la

# What a slot's module runs in: of the library only what it needs.
pkglibexec_PROGRAMS += tessera-token
tessera_token_SOURCES = daemon/token-program.c
tessera_token_CPPFLAGS = $(DAEMON_CPPFLAGS)
tessera_token_LDADD = libtesserad.la
