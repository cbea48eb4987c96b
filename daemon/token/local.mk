# daemon/token
libtesserad_la_SOURCES += \
	daemon/token/child.c daemon/token/child.h \
	daemon/token/ckr.c daemon/token/ckr.h \
	daemon/token/frame.c daemon/token/frame.h \
	daemon/token/hsm.c daemon/token/hsm.h daemon/token/hsm-private.h \
	daemon/token/hsm-call.c \
	daemon/token/hsm-child.c daemon/token/hsm-child.h daemon/token/hsm-child-private.h \
	daemon/token/hsm-child-list.c daemon/token/hsm-child-start.c \
	daemon/token/hsm-export.c \
	daemon/token/hsm-list.c \
	daemon/token/hsm-make.c \
	daemon/token/hsm-mechanism.c \
	daemon/token/hsm-object.c \
	daemon/token/hsm-owner.c \
	daemon/token/hsm-pair.c daemon/token/hsm-pair.h \
	daemon/token/hsm-pin.c \
	daemon/token/hsm-ready.c \
	daemon/token/hsm-serve.c daemon/token/hsm-serve.h \
	daemon/token/hsm-stream.c daemon/token/hsm-stream.h daemon/token/hsm-stream-list.c \
	daemon/token/hsm-sync.c daemon/token/hsm-sync.h \
	daemon/token/hsm-use.c \
	daemon/token/hsm-wire.c daemon/token/hsm-wire.h \
	daemon/token/module.c daemon/token/module.h \
	daemon/token/public-key.c daemon/token/public-key.h \
	daemon/token/session.c daemon/token/session.h \
	daemon/token/attributes.c daemon/token/attributes.h \
	daemon/token/softhsm-guard.c daemon/token/softhsm-guard.h \
	daemon/token/token.c daemon/token/token.h \
	daemon/token/token-embedded.c \
	daemon/token/token-files.c daemon/token/token-files.h \
	daemon/token/token-key.c \
	daemon/token/token-pair.c \
	daemon/token/token-private.h \
	daemon/token/token-uri.c daemon/token/token-uri.h
