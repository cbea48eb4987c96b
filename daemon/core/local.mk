# daemon/core
libtesserad_la_SOURCES += \
	daemon/core/http.c daemon/core/http.h daemon/core/http-private.h \
	daemon/core/http-pool.c daemon/core/http-negotiate.c \
	daemon/core/job.c daemon/core/job.h \
	daemon/core/journal.c daemon/core/journal.h \
	daemon/core/mail.c daemon/core/mail.h \
	daemon/core/negotiate.c daemon/core/negotiate.h daemon/core/negotiate-private.h \
	daemon/core/negotiate-http.c daemon/core/negotiate-ticket.c \
	daemon/core/notify.c daemon/core/notify.h \
	daemon/core/options.c daemon/core/options.h \
	daemon/core/command.c daemon/core/command.h \
	daemon/core/patience.c daemon/core/patience.h \
	daemon/core/process.c daemon/core/process.h \
	daemon/core/rate-limit.c daemon/core/rate-limit.h \
	daemon/core/signing-key.c daemon/core/signing-key.h \
	daemon/core/srv.c daemon/core/srv.h \
	daemon/core/state-folder.c daemon/core/state-folder.h \
	daemon/core/stream.c daemon/core/stream.h \
	daemon/core/stream-tls.c daemon/core/stream-tls.h \
	daemon/core/text-file.c daemon/core/text-file.h \
	daemon/core/thread.c daemon/core/thread.h \
	daemon/core/user.c daemon/core/user.h \
	daemon/core/xml.c daemon/core/xml.h \
	daemon/core/xml-writer.c
