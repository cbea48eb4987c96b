# unit tests of dbus
check_PROGRAMS += tests/unit/dbus/channel tests/unit/dbus/path tests/unit/dbus/service
tests_unit_dbus_channel_SOURCES = tests/unit/dbus/channel.c
tests_unit_dbus_channel_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_dbus_channel_LDADD = libdbus-layer.la $(UNIT_LIBS)
tests_unit_dbus_path_SOURCES = tests/unit/dbus/path.c
tests_unit_dbus_path_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_dbus_path_LDADD = libdbus-layer.la $(UNIT_LIBS)
tests_unit_dbus_service_SOURCES = tests/unit/dbus/service.c \
	tests/unit/dbus/service-fixture.c tests/unit/dbus/service-fixture.h
tests_unit_dbus_service_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_dbus_service_LDADD = libdbus-layer.la $(UNIT_LIBS)
check_PROGRAMS += tests/unit/dbus/message
tests_unit_dbus_message_SOURCES = tests/unit/dbus/message.c
tests_unit_dbus_message_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_dbus_message_LDADD = libdbus-layer.la $(UNIT_LIBS)
