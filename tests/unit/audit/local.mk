# unit tests of audit
check_PROGRAMS += tests/unit/audit/audit
tests_unit_audit_audit_SOURCES = tests/unit/audit/audit.c tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_audit_audit_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_audit_audit_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/audit/checkpoint
tests_unit_audit_checkpoint_SOURCES = tests/unit/audit/checkpoint.c tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h tests/lib/token-fixture.c tests/lib/token-fixture.h
tests_unit_audit_checkpoint_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_audit_checkpoint_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/audit/signature
tests_unit_audit_signature_SOURCES = tests/unit/audit/signature.c tests/lib/person.c tests/lib/person.h tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_audit_signature_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_audit_signature_LDADD = $(UNIT_LIBS)
