# The PKCS#11 module. Like every such module it is loaded by path, stays loaded (OpenSSL's and
# libdbus's thread data outlive a dlclose) and exports three symbols.
pkcs11module_LTLIBRARIES = tessera-pkcs11.la
tessera_pkcs11_la_SOURCES = \
	dbus/channel.c dbus/channel.h \
	pkcs11/attribute.c pkcs11/attribute.h \
	pkcs11/change.c pkcs11/change.h \
	pkcs11/ckr.c pkcs11/ckr.h \
	pkcs11/crypto-calls.c \
	pkcs11/crypto.c pkcs11/crypto.h \
	pkcs11/cryptoki.h \
	pkcs11/derive.c \
	pkcs11/digest.c pkcs11/digest.h \
	pkcs11/errand.c pkcs11/errand.h \
	pkcs11/event.c \
	pkcs11/find.c \
	pkcs11/general.c \
	pkcs11/interface.c \
	pkcs11/key.c pkcs11/key.h \
	pkcs11/login.c \
	pkcs11/make.c \
	pkcs11/mechanism.c pkcs11/mechanism.h \
	pkcs11/message.c \
	pkcs11/module.c pkcs11/module.h \
	pkcs11/object-calls.c \
	pkcs11/object.c pkcs11/object.h \
	pkcs11/operation.c pkcs11/operation.h \
	pkcs11/pad.c pkcs11/pad.h \
	pkcs11/parameter.c pkcs11/parameter.h \
	pkcs11/public.c pkcs11/public.h \
	pkcs11/random.c \
	pkcs11/remote-channel.c pkcs11/remote-channel.h \
	pkcs11/remote-connection.c pkcs11/remote-connection.h \
	pkcs11/remote-object.c pkcs11/remote-object.h \
	pkcs11/remote-stream.c \
	pkcs11/remote-use.c \
	pkcs11/remote.c pkcs11/remote.h \
	pkcs11/schema.c pkcs11/schema.h \
	pkcs11/session.c pkcs11/session.h \
	pkcs11/slot-calls.c \
	pkcs11/slot.c pkcs11/slot.h \
	pkcs11/stream.c pkcs11/stream.h \
	pkcs11/token-stream.c pkcs11/token-stream.h \
	pkcs11/told.c pkcs11/told.h \
	pkcs11/token-calls.c \
	pkcs11/unsupported.c \
	pkcs11/values.c pkcs11/values.h
tessera_pkcs11_la_CPPFLAGS = $(AM_CPPFLAGS) $(DBUS_CFLAGS) $(OPENSSL_CFLAGS) $(P11KIT_CFLAGS)
tessera_pkcs11_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-export-symbols-regex '^C_Get(FunctionList|Interface|InterfaceList)$$' -Wl,-z,nodelete
tessera_pkcs11_la_LIBADD = libcommon.la $(DBUS_LIBS) $(OPENSSL_LIBS) -lpthread
