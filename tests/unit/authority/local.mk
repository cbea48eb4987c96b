# unit tests of authority
check_PROGRAMS += tests/unit/authority/local-ca
tests_unit_authority_local_ca_SOURCES = tests/unit/authority/local-ca.c \
	tests/unit/authority/fixture.c tests/unit/authority/fixture.h $(TOKEN_FIXTURE)
tests_unit_authority_local_ca_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_local_ca_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/authority/local-ca-crl
tests_unit_authority_local_ca_crl_SOURCES = tests/unit/authority/local-ca-crl.c \
	tests/unit/authority/fixture.c tests/unit/authority/fixture.h $(TOKEN_FIXTURE)
tests_unit_authority_local_ca_crl_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_local_ca_crl_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/authority/local-ca-settings
tests_unit_authority_local_ca_settings_SOURCES = tests/unit/authority/local-ca-settings.c
tests_unit_authority_local_ca_settings_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_local_ca_settings_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/authority/digicert-one-settings
tests_unit_authority_digicert_one_settings_SOURCES = tests/unit/authority/digicert-one-settings.c
tests_unit_authority_digicert_one_settings_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_digicert_one_settings_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/authority/digicert-one-fields
tests_unit_authority_digicert_one_fields_SOURCES = tests/unit/authority/digicert-one-fields.c
tests_unit_authority_digicert_one_fields_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_digicert_one_fields_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/authority/pki-platform-settings
tests_unit_authority_pki_platform_settings_SOURCES = tests/unit/authority/pki-platform-settings.c
tests_unit_authority_pki_platform_settings_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_pki_platform_settings_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/authority/pki-platform-answers
tests_unit_authority_pki_platform_answers_SOURCES = tests/unit/authority/pki-platform-answers.c
tests_unit_authority_pki_platform_answers_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_pki_platform_answers_LDADD = $(UNIT_LIBS)
