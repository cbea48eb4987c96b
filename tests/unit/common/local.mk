# unit tests of common
check_PROGRAMS += tests/unit/common/buffer
tests_unit_common_buffer_SOURCES = tests/unit/common/buffer.c
tests_unit_common_buffer_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_common_buffer_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/common/error
tests_unit_common_error_SOURCES = tests/unit/common/error.c
tests_unit_common_error_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_common_error_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/common/secret
tests_unit_common_secret_SOURCES = tests/unit/common/secret.c
tests_unit_common_secret_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_common_secret_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/common/tlv
tests_unit_common_tlv_SOURCES = tests/unit/common/tlv.c
tests_unit_common_tlv_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_common_tlv_LDADD = $(UNIT_LIBS)
