CARD_TEST_LIBS = libtessera-vcard.la $(UNIT_LIBS)
TYPES_FIXTURE = tests/lib/types-fixture.c tests/lib/types-fixture.h
CARD_FIXTURE = tests/unit/card/fixture.c tests/unit/card/fixture.h \
	tests/lib/transport-vcard.c tests/lib/transport-vcard.h $(TYPES_FIXTURE)
CARD_SCRIPT = tests/lib/transport-script.c tests/lib/transport-script.h

check_PROGRAMS += tests/unit/card/apdu
tests_unit_card_apdu_SOURCES = tests/unit/card/apdu.c $(CARD_SCRIPT)
tests_unit_card_apdu_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_apdu_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/card/atr
tests_unit_card_atr_SOURCES = tests/unit/card/atr.c
tests_unit_card_atr_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_atr_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/card/chuid
tests_unit_card_chuid_SOURCES = tests/unit/card/chuid.c
tests_unit_card_chuid_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_chuid_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/card/card-type
tests_unit_card_card_type_SOURCES = tests/unit/card/card-type.c $(CARD_SCRIPT) $(TYPES_FIXTURE)
tests_unit_card_card_type_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_card_type_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/card/piv
tests_unit_card_piv_SOURCES = tests/unit/card/piv.c $(CARD_FIXTURE)
tests_unit_card_piv_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_piv_LDADD = $(CARD_TEST_LIBS)

check_PROGRAMS += tests/unit/card/piv-hostile
tests_unit_card_piv_hostile_SOURCES = tests/unit/card/piv-hostile.c $(CARD_SCRIPT) \
	$(TYPES_FIXTURE)
tests_unit_card_piv_hostile_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_piv_hostile_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/card/piv-random
tests_unit_card_piv_random_SOURCES = tests/unit/card/piv-random.c \
	tests/fuzz/card-answers.c tests/fuzz/card-certificate.h tests/fuzz/fuzz.h \
	tests/lib/transport-bytes.c tests/lib/transport-bytes.h $(TYPES_FIXTURE)
tests_unit_card_piv_random_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_piv_random_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/card/piv-secret
tests_unit_card_piv_secret_SOURCES = tests/unit/card/piv-secret.c $(CARD_FIXTURE)
tests_unit_card_piv_secret_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_piv_secret_LDADD = $(CARD_TEST_LIBS)

check_PROGRAMS += tests/unit/card/piv-use
tests_unit_card_piv_use_SOURCES = tests/unit/card/piv-use.c $(CARD_FIXTURE)
tests_unit_card_piv_use_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_piv_use_LDADD = $(CARD_TEST_LIBS)

check_PROGRAMS += tests/unit/card/reader-watch
tests_unit_card_reader_watch_SOURCES = tests/unit/card/reader-watch.c
tests_unit_card_reader_watch_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_reader_watch_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/card/secure-channel
tests_unit_card_secure_channel_SOURCES = tests/unit/card/secure-channel.c \
	tests/unit/vcard/secure-host.c tests/unit/vcard/secure-host.h \
	tests/unit/vcard/fixture.c tests/unit/vcard/fixture.h \
	tests/lib/scratch.c tests/lib/scratch.h \
	tests/lib/transport-vcard.c tests/lib/transport-vcard.h $(TYPES_FIXTURE)
tests_unit_card_secure_channel_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_secure_channel_LDADD = $(CARD_TEST_LIBS)

check_PROGRAMS += tests/unit/card/transport-remote
tests_unit_card_transport_remote_SOURCES = tests/unit/card/transport-remote.c
tests_unit_card_transport_remote_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_transport_remote_LDADD = $(UNIT_LIBS)

# Shows what the reader watch sees; tests/e2e/readers_come_and_go.sh runs it.
noinst_PROGRAMS += tests/unit/card/reader-log
tests_unit_card_reader_log_SOURCES = tests/unit/card/reader-log.c $(TYPES_FIXTURE)
tests_unit_card_reader_log_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_card_reader_log_LDADD = $(UNIT_LIBS)
