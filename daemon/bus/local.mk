# daemon/bus: the objects on D-Bus, one file per interface, and the two doors
libtesserad_la_SOURCES += \
	daemon/bus/bus.c daemon/bus/bus.h daemon/bus/bus-private.h \
	daemon/bus/caller.c \
	daemon/bus/channel.c daemon/bus/channel.h \
	daemon/bus/connection.c \
	daemon/bus/connection-people.c daemon/bus/connection-people.h \
	daemon/bus/credential-renew.c \
	daemon/bus/credential.c \
	daemon/bus/driver.c \
	daemon/bus/job.c \
	daemon/bus/key-backup.c \
	daemon/bus/licence.c \
	daemon/bus/login.c \
	daemon/bus/manager.c \
	daemon/bus/manager-audit.c \
	daemon/bus/manager-keys.c \
	daemon/bus/manager-report.c \
	daemon/bus/manager-revoke.c \
	daemon/bus/object.c \
	daemon/bus/operator.c \
	daemon/bus/options.c \
	daemon/bus/people.c \
	daemon/bus/polkit.c daemon/bus/polkit.h \
	daemon/bus/private-connection.c daemon/bus/private-connection.h \
	daemon/bus/private-door.c \
	daemon/bus/private-socket.c \
	daemon/bus/provider.c daemon/bus/provider-object.c daemon/bus/provider-stream.c daemon/bus/provider-private.h \
	daemon/bus/reader.c daemon/bus/reader-agent.c daemon/bus/reader-agent.h \
	daemon/bus/role.c \
	daemon/bus/self-code.c \
	daemon/bus/self-service.c \
	daemon/bus/slot.c \
	daemon/bus/slot-keys.c \
	daemon/bus/sender.c daemon/bus/sender.h \
	daemon/bus/system-door.c \
	daemon/bus/task.c \
	daemon/bus/template.c \
	daemon/bus/template-cards.c \
	daemon/bus/type.c \
	daemon/bus/verb.c daemon/bus/verb.h
