# daemon/store: what the daemon must not forget; database.c is the only file that knows SQLite
libtesserad_la_SOURCES += \
	daemon/store/audit.c \
	daemon/store/audit-checkpoint.c \
	daemon/store/audit-time.c \
	daemon/store/card-type.c \
	daemon/store/certificate.c \
	daemon/store/connection.c \
	daemon/store/credential.c \
	daemon/store/database.c daemon/store/database.h \
	daemon/store/hsm-key.c \
	daemon/store/intent.c \
	daemon/store/key-backup.c \
	daemon/store/lock-out.c \
	daemon/store/managed.c \
	daemon/store/master-key.c \
	daemon/store/mail.c \
	daemon/store/operator.c \
	daemon/store/person.c \
	daemon/store/pin-history.c \
	daemon/store/puk.c \
	daemon/store/quorum.c \
	daemon/store/role.c \
	daemon/store/secure-card.c \
	daemon/store/schema.c daemon/store/schema.h \
	daemon/store/search.c \
	daemon/store/self-code.c daemon/store/self-service.h \
	daemon/store/slot.c \
	daemon/store/task.c \
	daemon/store/store.c daemon/store/store.h daemon/store/store-private.h \
	daemon/store/template.c \
	daemon/store/value.c
