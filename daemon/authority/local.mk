# daemon/authority
libtesserad_la_SOURCES += \
	daemon/authority/authority.c daemon/authority/authority.h \
	daemon/authority/local-ca.c daemon/authority/local-ca.h \
	daemon/authority/local-ca-certificate.c \
	daemon/authority/local-ca-crl.c \
	daemon/authority/local-ca-extensions.c \
	daemon/authority/local-ca-private.h \
	daemon/authority/local-ca-publish.c \
	daemon/authority/local-ca-settings.c
