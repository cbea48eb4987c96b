# The contract and the layer over libdbus.
noinst_LTLIBRARIES += libdbus-layer.la
libdbus_layer_la_SOURCES =
libdbus_layer_la_CPPFLAGS = $(AM_CPPFLAGS) $(DBUS_CFLAGS)
