# Cards: the APDU exchange, drivers, the transport to cards far away.
libtesserad_la_SOURCES += \
	daemon/card/apdu.c daemon/card/apdu.h \
	daemon/card/atr.c daemon/card/atr.h \
	daemon/card/card.c daemon/card/card.h daemon/card/card-private.h daemon/card/card-secret.c \
	daemon/card/application.c daemon/card/application.h \
	daemon/card/card-type.c daemon/card/card-type.h \
	daemon/card/chuid.c daemon/card/chuid.h \
	daemon/card/piv.c daemon/card/piv.h \
	daemon/card/piv-admin.c daemon/card/piv-certificate.c daemon/card/piv-identify.c \
	daemon/card/piv-key.c daemon/card/piv-object.c daemon/card/piv-pin.c \
	daemon/card/piv-public-key.c daemon/card/piv-use.c daemon/card/piv-yubikey.c \
	daemon/card/scp11.c daemon/card/scp11.h \
	daemon/card/secure-channel.c daemon/card/secure-channel.h \
	daemon/card/security-domain.c daemon/card/security-domain.h \
	daemon/card/status-word.c daemon/card/status-word.h \
	daemon/card/transport-remote.c daemon/card/transport-remote.h
