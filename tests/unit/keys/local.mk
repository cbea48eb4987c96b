# unit tests of keys
check_PROGRAMS += tests/unit/keys/kdf
tests_unit_keys_kdf_SOURCES = tests/unit/keys/kdf.c $(TOKEN_FIXTURE)
tests_unit_keys_kdf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_keys_kdf_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/keys/master-key
tests_unit_keys_master_key_SOURCES = tests/unit/keys/master-key.c $(TOKEN_FIXTURE)
tests_unit_keys_master_key_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_keys_master_key_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/keys/seal
tests_unit_keys_seal_SOURCES = tests/unit/keys/seal.c
tests_unit_keys_seal_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_keys_seal_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/keys/at-rest
tests_unit_keys_at_rest_SOURCES = tests/unit/keys/at-rest.c $(TOKEN_FIXTURE)
tests_unit_keys_at_rest_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_keys_at_rest_LDADD = $(UNIT_LIBS)
