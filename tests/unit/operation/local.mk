check_PROGRAMS += tests/unit/operation/interruptions
tests_unit_operation_interruptions_SOURCES = tests/unit/operation/interruptions.c \
	tests/lib/scratch.c tests/lib/scratch.h \
	tests/lib/transport-vcard.c tests/lib/transport-vcard.h
tests_unit_operation_interruptions_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_interruptions_LDADD = libtessera-vcard.la $(UNIT_LIBS)
