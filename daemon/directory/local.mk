# daemon/directory
libtesserad_la_SOURCES += \
	daemon/directory/directory.c daemon/directory/directory.h
