# daemon/core
libtesserad_la_SOURCES += \
	daemon/core/job.c daemon/core/job.h \
	daemon/core/signing-key.c daemon/core/signing-key.h
