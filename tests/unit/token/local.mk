# unit tests of token; TOKEN_FIXTURE is for all that need a token
TOKEN_FIXTURE = tests/lib/token-fixture.c tests/lib/token-fixture.h \
	tests/lib/scratch.c tests/lib/scratch.h
check_PROGRAMS += tests/unit/token/token
tests_unit_token_token_SOURCES = tests/unit/token/token.c $(TOKEN_FIXTURE)
tests_unit_token_token_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_token_token_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/token/token-uri
tests_unit_token_token_uri_SOURCES = tests/unit/token/token-uri.c
tests_unit_token_token_uri_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_token_token_uri_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/token/token-files
tests_unit_token_token_files_SOURCES = tests/unit/token/token-files.c $(TOKEN_FIXTURE)
tests_unit_token_token_files_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_token_token_files_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/token/hsm
tests_unit_token_hsm_SOURCES = tests/unit/token/hsm.c $(TOKEN_FIXTURE)
tests_unit_token_hsm_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_token_hsm_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/token/hsm-make
tests_unit_token_hsm_make_SOURCES = tests/unit/token/hsm-make.c $(TOKEN_FIXTURE)
tests_unit_token_hsm_make_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_token_hsm_make_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/token/attributes
tests_unit_token_attributes_SOURCES = tests/unit/token/attributes.c
tests_unit_token_attributes_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_token_attributes_LDADD = $(UNIT_LIBS)
