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
check_PROGRAMS += tests/unit/authority/revocation-check
tests_unit_authority_revocation_check_SOURCES = tests/unit/authority/revocation-check.c \
	tests/unit/authority/fixture.c tests/unit/authority/fixture.h $(TOKEN_FIXTURE)
tests_unit_authority_revocation_check_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_revocation_check_LDADD = $(UNIT_LIBS)
MS_CS_FIXTURE = tests/unit/authority/ms-cs-fixture.c tests/unit/authority/ms-cs-fixture.h \
	tests/lib/scratch.c tests/lib/scratch.h
check_PROGRAMS += tests/unit/authority/ms-cs-agent
tests_unit_authority_ms_cs_agent_SOURCES = tests/unit/authority/ms-cs-agent.c $(MS_CS_FIXTURE)
tests_unit_authority_ms_cs_agent_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_ms_cs_agent_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/authority/ms-cs-check
tests_unit_authority_ms_cs_check_SOURCES = tests/unit/authority/ms-cs-check.c $(MS_CS_FIXTURE)
tests_unit_authority_ms_cs_check_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_ms_cs_check_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/authority/ms-cs-request
tests_unit_authority_ms_cs_request_SOURCES = tests/unit/authority/ms-cs-request.c
tests_unit_authority_ms_cs_request_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_ms_cs_request_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/authority/ms-cs-revoke
tests_unit_authority_ms_cs_revoke_SOURCES = tests/unit/authority/ms-cs-revoke.c $(MS_CS_FIXTURE)
tests_unit_authority_ms_cs_revoke_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_ms_cs_revoke_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/authority/ms-cs-settings
tests_unit_authority_ms_cs_settings_SOURCES = tests/unit/authority/ms-cs-settings.c
tests_unit_authority_ms_cs_settings_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_ms_cs_settings_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/authority/ms-cs-answers
tests_unit_authority_ms_cs_answers_SOURCES = tests/unit/authority/ms-cs-answers.c
tests_unit_authority_ms_cs_answers_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_authority_ms_cs_answers_LDADD = $(UNIT_LIBS)
