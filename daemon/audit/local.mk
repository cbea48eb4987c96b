# daemon/audit: the audit trail
libtesserad_la_SOURCES += \
	daemon/audit/actor.c daemon/audit/actor.h \
	daemon/audit/audit.c daemon/audit/audit.h \
	daemon/audit/checkpoint.c daemon/audit/checkpoint.h \
	daemon/audit/signer.c daemon/audit/signer.h \
	daemon/audit/timer.c daemon/audit/timer.h \
	daemon/audit/verify.c daemon/audit/verify.h
