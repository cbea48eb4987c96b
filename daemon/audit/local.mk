# daemon/audit: the audit trail
libtesserad_la_SOURCES += daemon/audit/audit.c daemon/audit/audit.h
