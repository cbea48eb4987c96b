# The contract and the layer over libdbus.
noinst_LTLIBRARIES += libdbus-layer.la
libdbus_layer_la_SOURCES = \
	dbus/channel.c dbus/channel.h \
	dbus/interface.h \
	dbus/introspect.c \
	dbus/message.c dbus/message.h \
	dbus/objects.c \
	dbus/path.c dbus/path.h \
	dbus/properties.c \
	dbus/service.c dbus/service.h dbus/service-private.h
libdbus_layer_la_CPPFLAGS = $(AM_CPPFLAGS) $(DBUS_CFLAGS)
libdbus_layer_la_LIBADD = libcommon.la $(DBUS_LIBS)

dbusinterfacesdir = $(datadir)/dbus-1/interfaces
dist_dbusinterfaces_DATA = \
	dbus/org.tessera1.Connection.xml \
	dbus/org.tessera1.Credential.xml \
	dbus/org.tessera1.Job.xml \
	dbus/org.tessera1.Licence.xml \
	dbus/org.tessera1.Manager.xml \
	dbus/org.tessera1.Provider.xml \
	dbus/org.tessera1.Reader.xml \
	dbus/org.tessera1.ReaderAgent.xml \
	dbus/org.tessera1.SelfService.xml \
	dbus/org.tessera1.Slot.xml \
	dbus/org.tessera1.Template.xml \
	dbus/org.tessera1.Type.xml

# Who may own the name and who may call it.
dbuspolicydir = $(datadir)/dbus-1/system.d
dist_dbuspolicy_DATA = dbus/org.tessera1.conf

# Starting tesserad on the first call.
dbusservicesdir = $(datadir)/dbus-1/system-services
dbusservices_DATA = dbus/org.tessera1.service
CLEANFILES += $(dbusservices_DATA)
EXTRA_DIST += dbus/org.tessera1.service.in
dbus/org.tessera1.service: $(top_srcdir)/dbus/org.tessera1.service.in Makefile
	$(SUBSTITUTE) $< >$@
