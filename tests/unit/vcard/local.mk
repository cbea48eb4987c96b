# Unit tests of the virtual card, which runs in their process.
VCARD_TEST_CPPFLAGS = $(VCARD_CPPFLAGS) $(CMOCKA_CFLAGS)
VCARD_TEST_LIBS = libtessera-vcard.la $(OPENSSL_LIBS) $(CMOCKA_LIBS)
VCARD_FIXTURE = tests/unit/vcard/fixture.c tests/unit/vcard/fixture.h
VCARD_SECURE_HOST = tests/unit/vcard/secure-host.c tests/unit/vcard/secure-host.h \
	tests/lib/scratch.c tests/lib/scratch.h

check_PROGRAMS += tests/unit/vcard/authenticate
tests_unit_vcard_authenticate_SOURCES = tests/unit/vcard/authenticate.c $(VCARD_FIXTURE)
tests_unit_vcard_authenticate_CPPFLAGS = $(VCARD_TEST_CPPFLAGS)
tests_unit_vcard_authenticate_LDADD = $(VCARD_TEST_LIBS)

check_PROGRAMS += tests/unit/vcard/chaining
tests_unit_vcard_chaining_SOURCES = tests/unit/vcard/chaining.c $(VCARD_FIXTURE)
tests_unit_vcard_chaining_CPPFLAGS = $(VCARD_TEST_CPPFLAGS)
tests_unit_vcard_chaining_LDADD = $(VCARD_TEST_LIBS)

check_PROGRAMS += tests/unit/vcard/knobs
tests_unit_vcard_knobs_SOURCES = tests/unit/vcard/knobs.c $(VCARD_FIXTURE) \
	tests/vcard/knobs.c tests/vcard/knobs.h
tests_unit_vcard_knobs_CPPFLAGS = $(VCARD_TEST_CPPFLAGS)
tests_unit_vcard_knobs_LDADD = $(VCARD_TEST_LIBS)

check_PROGRAMS += tests/unit/vcard/pin
tests_unit_vcard_pin_SOURCES = tests/unit/vcard/pin.c $(VCARD_FIXTURE)
tests_unit_vcard_pin_CPPFLAGS = $(VCARD_TEST_CPPFLAGS)
tests_unit_vcard_pin_LDADD = $(VCARD_TEST_LIBS)

check_PROGRAMS += tests/unit/vcard/scp11
tests_unit_vcard_scp11_SOURCES = tests/unit/vcard/scp11.c $(VCARD_FIXTURE) $(VCARD_SECURE_HOST)
tests_unit_vcard_scp11_CPPFLAGS = $(VCARD_TEST_CPPFLAGS)
tests_unit_vcard_scp11_LDADD = $(VCARD_TEST_LIBS)

check_PROGRAMS += tests/unit/vcard/secure-channel
tests_unit_vcard_secure_channel_SOURCES = tests/unit/vcard/secure-channel.c $(VCARD_FIXTURE) \
	$(VCARD_SECURE_HOST)
tests_unit_vcard_secure_channel_CPPFLAGS = $(VCARD_TEST_CPPFLAGS)
tests_unit_vcard_secure_channel_LDADD = $(VCARD_TEST_LIBS)

check_PROGRAMS += tests/unit/vcard/state
tests_unit_vcard_state_SOURCES = tests/unit/vcard/state.c $(VCARD_FIXTURE) \
	tests/lib/scratch.c tests/lib/scratch.h
tests_unit_vcard_state_CPPFLAGS = $(VCARD_TEST_CPPFLAGS)
tests_unit_vcard_state_LDADD = $(VCARD_TEST_LIBS)

check_PROGRAMS += tests/unit/vcard/yubikey
tests_unit_vcard_yubikey_SOURCES = tests/unit/vcard/yubikey.c $(VCARD_FIXTURE)
tests_unit_vcard_yubikey_CPPFLAGS = $(VCARD_TEST_CPPFLAGS)
tests_unit_vcard_yubikey_LDADD = $(VCARD_TEST_LIBS)
