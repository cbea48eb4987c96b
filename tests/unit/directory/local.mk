# unit tests of directory
check_PROGRAMS += tests/unit/directory/entra-settings
tests_unit_directory_entra_settings_SOURCES = tests/unit/directory/entra-settings.c
tests_unit_directory_entra_settings_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_directory_entra_settings_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/directory/entra-query
tests_unit_directory_entra_query_SOURCES = tests/unit/directory/entra-query.c
tests_unit_directory_entra_query_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_directory_entra_query_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/directory/entra-answer
tests_unit_directory_entra_answer_SOURCES = tests/unit/directory/entra-answer.c
tests_unit_directory_entra_answer_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_directory_entra_answer_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/directory/entra-assertion
tests_unit_directory_entra_assertion_SOURCES = tests/unit/directory/entra-assertion.c
tests_unit_directory_entra_assertion_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_directory_entra_assertion_LDADD = $(UNIT_LIBS)
