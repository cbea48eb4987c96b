# unit tests of store
check_PROGRAMS += tests/unit/store/faults
tests_unit_store_faults_SOURCES = tests/unit/store/faults.c tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_store_faults_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_store_faults_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/store/managed
tests_unit_store_managed_SOURCES = tests/unit/store/managed.c tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_store_managed_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_store_managed_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/store/records
tests_unit_store_records_SOURCES = tests/unit/store/records.c tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_store_records_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_store_records_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/store/store
tests_unit_store_store_SOURCES = tests/unit/store/store.c tests/unit/store/fixture.c tests/unit/store/fixture.h tests/lib/scratch.c tests/lib/scratch.h
tests_unit_store_store_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_store_store_LDADD = $(UNIT_LIBS)
