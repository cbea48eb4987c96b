# unit tests of directory
check_PROGRAMS += tests/unit/directory/active-directory-values
tests_unit_directory_active_directory_values_SOURCES = tests/unit/directory/active-directory-values.c
tests_unit_directory_active_directory_values_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_directory_active_directory_values_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/directory/active-directory-settings
tests_unit_directory_active_directory_settings_SOURCES = \
	tests/unit/directory/active-directory-settings.c
tests_unit_directory_active_directory_settings_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_directory_active_directory_settings_LDADD = $(UNIT_LIBS)
