# unit tests of core
check_PROGRAMS += tests/unit/core/command
tests_unit_core_command_SOURCES = tests/unit/core/command.c tests/lib/scratch.c tests/lib/scratch.h
tests_unit_core_command_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_core_command_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/core/job
tests_unit_core_job_SOURCES = tests/unit/core/job.c
tests_unit_core_job_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_core_job_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/core/mail
tests_unit_core_mail_SOURCES = tests/unit/core/mail.c
tests_unit_core_mail_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_core_mail_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/core/signing-key
tests_unit_core_signing_key_SOURCES = tests/unit/core/signing-key.c
tests_unit_core_signing_key_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_core_signing_key_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/core/negotiate
tests_unit_core_negotiate_SOURCES = tests/unit/core/negotiate.c \
	tests/lib/kerberos-fixture.c tests/lib/kerberos-fixture.h \
	tests/lib/scratch.c tests/lib/scratch.h
tests_unit_core_negotiate_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_core_negotiate_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/core/negotiate-http
tests_unit_core_negotiate_http_SOURCES = tests/unit/core/negotiate-http.c
tests_unit_core_negotiate_http_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_core_negotiate_http_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/core/xml
tests_unit_core_xml_SOURCES = tests/unit/core/xml.c
tests_unit_core_xml_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_core_xml_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/core/srv
tests_unit_core_srv_SOURCES = tests/unit/core/srv.c tests/lib/scratch.c tests/lib/scratch.h
tests_unit_core_srv_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_core_srv_LDADD = $(UNIT_LIBS)
