# unit tests of core
check_PROGRAMS += tests/unit/core/job
tests_unit_core_job_SOURCES = tests/unit/core/job.c
tests_unit_core_job_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_core_job_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/core/signing-key
tests_unit_core_signing_key_SOURCES = tests/unit/core/signing-key.c
tests_unit_core_signing_key_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_core_signing_key_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/core/xml
tests_unit_core_xml_SOURCES = tests/unit/core/xml.c
tests_unit_core_xml_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_core_xml_LDADD = $(UNIT_LIBS)
