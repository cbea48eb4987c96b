# daemon/directory
libtesserad_la_SOURCES += \
	daemon/directory/active-directory-values.c daemon/directory/active-directory-values.h \
	daemon/directory/directory.c daemon/directory/directory.h
