# daemon/keys
libtesserad_la_SOURCES += \
	daemon/keys/at-rest.c daemon/keys/at-rest.h \
	daemon/keys/des.c daemon/keys/des.h \
	daemon/keys/kdf.c daemon/keys/kdf.h \
	daemon/keys/master-key.c daemon/keys/master-key.h \
	daemon/keys/seal.c daemon/keys/seal.h \
	daemon/keys/shares.c daemon/keys/shares.h \
	daemon/keys/wrap.c daemon/keys/wrap.h
