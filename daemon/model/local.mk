# daemon/model: plain data and rules
libtesserad_la_SOURCES += \
	daemon/model/card-type.c daemon/model/card-type.h \
	daemon/model/card-type-parse.c \
	daemon/model/certificate.c \
	daemon/model/credential.c daemon/model/credential.h \
	daemon/model/document.c daemon/model/document.h \
	daemon/model/holder.c daemon/model/holder.h \
	daemon/model/hsm-key.c daemon/model/hsm-key.h \
	daemon/model/key.c daemon/model/key.h \
	daemon/model/key-backup.c daemon/model/key-backup.h \
	daemon/model/licence.c daemon/model/licence.h \
	daemon/model/licence-envelope.c daemon/model/licence-private.h \
	daemon/model/lifecycle.c daemon/model/lifecycle.h \
	daemon/model/lock-out.c daemon/model/lock-out.h \
	daemon/model/operator.c daemon/model/operator.h \
	daemon/model/pattern.c \
	daemon/model/person.c daemon/model/person.h \
	daemon/model/pin-policy.c daemon/model/pin-policy.h \
	daemon/model/pin-word.c \
	daemon/model/puk.c daemon/model/puk.h \
	daemon/model/role.c daemon/model/role.h \
	daemon/model/self-service.c daemon/model/self-service.h \
	daemon/model/slot.c daemon/model/slot.h daemon/model/slot-process.c \
	daemon/model/template.c daemon/model/template.h \
	daemon/model/template-canonical.c \
	daemon/model/template-certificate.c \
	daemon/model/template-change.c daemon/model/template-change.h \
	daemon/model/template-general.c \
	daemon/model/template-hsm-key.c \
	daemon/model/template-directory.c \
	daemon/model/template-issue.c \
	daemon/model/template-lifecycle.c \
	daemon/model/template-pin-policy.c \
	daemon/model/template-private.h \
	daemon/model/template-renewal.c \
	daemon/model/template-self-service.c \
	daemon/model/template-unblock.c \
	daemon/model/weak-pins.c daemon/model/weak-pins.h
