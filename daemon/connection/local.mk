# daemon/connection
libtesserad_la_SOURCES += \
	daemon/connection/family.h \
	daemon/connection/identity.c daemon/connection/identity.h \
	daemon/connection/kerberos-settings.c daemon/connection/kerberos-settings.h \
	daemon/connection/secret.c daemon/connection/secret.h \
	daemon/connection/services.h \
	daemon/connection/settings.c daemon/connection/settings.h \
	daemon/connection/smtp.c daemon/connection/smtp.h \
	daemon/connection/steps.c daemon/connection/steps.h
