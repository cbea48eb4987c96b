check_PROGRAMS += tests/unit/operation/interruptions
tests_unit_operation_interruptions_SOURCES = tests/unit/operation/interruptions.c \
	tests/lib/licence-fixture.c tests/lib/licence-fixture.h \
	tests/lib/scratch.c tests/lib/scratch.h \
	tests/lib/transport-vcard.c tests/lib/transport-vcard.h
tests_unit_operation_interruptions_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_interruptions_LDADD = libtessera-vcard.la $(UNIT_LIBS)
check_PROGRAMS += tests/unit/operation/licence
tests_unit_operation_licence_SOURCES = tests/unit/operation/licence.c tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_operation_licence_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_licence_LDADD = $(UNIT_LIBS)
