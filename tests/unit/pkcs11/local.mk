# unit tests of pkcs11: the real module, loaded as programs load it, against a fake provider
PKCS11_TESTS = \
	tests/unit/pkcs11/crypto \
	tests/unit/pkcs11/ckr \
	tests/unit/pkcs11/general \
	tests/unit/pkcs11/interface \
	tests/unit/pkcs11/key \
	tests/unit/pkcs11/object \
	tests/unit/pkcs11/session \
	tests/unit/pkcs11/session-object \
	tests/unit/pkcs11/slot \
	tests/unit/pkcs11/slot-key \
	tests/unit/pkcs11/slot-object
check_PROGRAMS += $(PKCS11_TESTS)
PKCS11_TEST_SOURCES = \
	tests/unit/pkcs11/fake-compute.c \
	tests/unit/pkcs11/fake-provider.c tests/unit/pkcs11/fake-provider.h \
	tests/unit/pkcs11/fake-slot.c tests/unit/pkcs11/fake-slot.h \
	tests/unit/pkcs11/fake-stream.c \
	tests/unit/pkcs11/fixture.c tests/unit/pkcs11/fixture.h
PKCS11_TEST_CPPFLAGS = $(UNIT_CPPFLAGS) \
	-DMODULE_PATH='"$(abs_top_builddir)/.libs/tessera-pkcs11.so"'
PKCS11_TEST_LIBS = libcommon.la $(DBUS_LIBS) $(OPENSSL_LIBS) $(CMOCKA_LIBS) -lpthread

tests_unit_pkcs11_crypto_SOURCES = tests/unit/pkcs11/crypto.c $(PKCS11_TEST_SOURCES)
tests_unit_pkcs11_crypto_CPPFLAGS = $(PKCS11_TEST_CPPFLAGS)
tests_unit_pkcs11_crypto_LDADD = $(PKCS11_TEST_LIBS)
tests_unit_pkcs11_general_SOURCES = tests/unit/pkcs11/general.c $(PKCS11_TEST_SOURCES)
tests_unit_pkcs11_general_CPPFLAGS = $(PKCS11_TEST_CPPFLAGS)
tests_unit_pkcs11_general_LDADD = $(PKCS11_TEST_LIBS)
tests_unit_pkcs11_interface_SOURCES = tests/unit/pkcs11/interface.c \
	tests/unit/pkcs11/layout.c tests/unit/pkcs11/layout.h $(PKCS11_TEST_SOURCES)
tests_unit_pkcs11_interface_CPPFLAGS = $(PKCS11_TEST_CPPFLAGS) $(NSS_CFLAGS)
tests_unit_pkcs11_interface_LDADD = $(PKCS11_TEST_LIBS)
tests_unit_pkcs11_session_object_SOURCES = tests/unit/pkcs11/session-object.c $(PKCS11_TEST_SOURCES)
tests_unit_pkcs11_session_object_CPPFLAGS = $(PKCS11_TEST_CPPFLAGS)
tests_unit_pkcs11_session_object_LDADD = $(PKCS11_TEST_LIBS)
tests_unit_pkcs11_ckr_SOURCES = tests/unit/pkcs11/ckr.c pkcs11/ckr.c
tests_unit_pkcs11_ckr_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_pkcs11_ckr_LDADD = $(PKCS11_TEST_LIBS)
# built from the module's own file, whose functions the module does not export
tests_unit_pkcs11_key_SOURCES = tests/unit/pkcs11/key.c pkcs11/key.c
tests_unit_pkcs11_key_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_pkcs11_key_LDADD = $(PKCS11_TEST_LIBS)
tests_unit_pkcs11_object_SOURCES = tests/unit/pkcs11/object.c $(PKCS11_TEST_SOURCES)
tests_unit_pkcs11_object_CPPFLAGS = $(PKCS11_TEST_CPPFLAGS)
tests_unit_pkcs11_object_LDADD = $(PKCS11_TEST_LIBS)
tests_unit_pkcs11_session_SOURCES = tests/unit/pkcs11/session.c $(PKCS11_TEST_SOURCES)
tests_unit_pkcs11_session_CPPFLAGS = $(PKCS11_TEST_CPPFLAGS)
tests_unit_pkcs11_session_LDADD = $(PKCS11_TEST_LIBS)
tests_unit_pkcs11_slot_SOURCES = tests/unit/pkcs11/slot.c $(PKCS11_TEST_SOURCES)
tests_unit_pkcs11_slot_CPPFLAGS = $(PKCS11_TEST_CPPFLAGS)
tests_unit_pkcs11_slot_LDADD = $(PKCS11_TEST_LIBS)
tests_unit_pkcs11_slot_key_SOURCES = tests/unit/pkcs11/slot-key.c $(PKCS11_TEST_SOURCES)
tests_unit_pkcs11_slot_key_CPPFLAGS = $(PKCS11_TEST_CPPFLAGS)
tests_unit_pkcs11_slot_key_LDADD = $(PKCS11_TEST_LIBS)
tests_unit_pkcs11_slot_object_SOURCES = tests/unit/pkcs11/slot-object.c $(PKCS11_TEST_SOURCES)
tests_unit_pkcs11_slot_object_CPPFLAGS = $(PKCS11_TEST_CPPFLAGS)
tests_unit_pkcs11_slot_object_LDADD = $(PKCS11_TEST_LIBS)
