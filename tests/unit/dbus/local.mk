# unit tests of dbus
