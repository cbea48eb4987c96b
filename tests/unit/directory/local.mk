# unit tests of directory
check_PROGRAMS += tests/unit/directory/ldap-filter
tests_unit_directory_ldap_filter_SOURCES = tests/unit/directory/ldap-filter.c
tests_unit_directory_ldap_filter_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_directory_ldap_filter_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/directory/ldap-people
tests_unit_directory_ldap_people_SOURCES = tests/unit/directory/ldap-people.c
tests_unit_directory_ldap_people_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_directory_ldap_people_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/directory/ldap-settings
tests_unit_directory_ldap_settings_SOURCES = tests/unit/directory/ldap-settings.c
tests_unit_directory_ldap_settings_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_directory_ldap_settings_LDADD = $(UNIT_LIBS)
