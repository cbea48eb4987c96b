# daemon/bus
libtesserad_la_SOURCES +=
