OPERATION_WALK = tests/unit/operation/walk.c tests/unit/operation/walk.h \
	tests/lib/licence-fixture.c tests/lib/licence-fixture.h \
	tests/lib/scratch.c tests/lib/scratch.h \
	tests/lib/transport-vcard.c tests/lib/transport-vcard.h \
	tests/lib/types-fixture.c tests/lib/types-fixture.h
check_PROGRAMS += tests/unit/operation/interruptions
tests_unit_operation_interruptions_SOURCES = tests/unit/operation/interruptions.c $(OPERATION_WALK)
tests_unit_operation_interruptions_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_interruptions_LDADD = libtessera-vcard.la $(UNIT_LIBS)
check_PROGRAMS += tests/unit/operation/pin-interruptions
tests_unit_operation_pin_interruptions_SOURCES = tests/unit/operation/pin-interruptions.c \
	$(OPERATION_WALK)
tests_unit_operation_pin_interruptions_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_pin_interruptions_LDADD = libtessera-vcard.la $(UNIT_LIBS)
check_PROGRAMS += tests/unit/operation/pin-rules
tests_unit_operation_pin_rules_SOURCES = tests/unit/operation/pin-rules.c \
	tests/lib/scratch.c tests/lib/scratch.h \
	tests/lib/token-fixture.c tests/lib/token-fixture.h
tests_unit_operation_pin_rules_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_pin_rules_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/operation/licence
tests_unit_operation_licence_SOURCES = tests/unit/operation/licence.c tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_operation_licence_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_licence_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/operation/changeover
tests_unit_operation_changeover_SOURCES = tests/unit/operation/changeover.c $(OPERATION_WALK)
tests_unit_operation_changeover_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_changeover_LDADD = libtessera-vcard.la $(UNIT_LIBS)
check_PROGRAMS += tests/unit/operation/login
tests_unit_operation_login_SOURCES = tests/unit/operation/login.c tests/unit/store/fixture.c tests/unit/store/fixture.h \
	tests/lib/person.c tests/lib/person.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_operation_login_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_login_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/operation/roles
tests_unit_operation_roles_SOURCES = tests/unit/operation/roles.c tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_operation_roles_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_roles_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/operation/renew-interruptions
tests_unit_operation_renew_interruptions_SOURCES = tests/unit/operation/renew-interruptions.c \
	$(OPERATION_WALK)
tests_unit_operation_renew_interruptions_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_renew_interruptions_LDADD = libtessera-vcard.la $(UNIT_LIBS)
check_PROGRAMS += tests/unit/operation/self
tests_unit_operation_self_SOURCES = tests/unit/operation/self.c tests/unit/operation/fake-directory.c tests/unit/operation/fake-directory.h tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_operation_self_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_self_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/operation/simple-id
tests_unit_operation_simple_id_SOURCES = tests/unit/operation/simple-id.c tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_operation_simple_id_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_simple_id_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/operation/people
tests_unit_operation_people_SOURCES = tests/unit/operation/people.c \
	tests/unit/operation/fake-directory.c tests/unit/operation/fake-directory.h \
	tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_operation_people_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_operation_people_LDADD = $(UNIT_LIBS)
