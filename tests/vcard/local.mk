# The virtual PIV card: a library for unit tests, and a program for vpcd's virtual reader.
VCARD_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(OPENSSL_CFLAGS)

noinst_LTLIBRARIES += libtessera-vcard.la
libtessera_vcard_la_SOURCES = \
	tests/vcard/apdu.c tests/vcard/apdu.h \
	tests/vcard/applets.c \
	tests/vcard/attest.c tests/vcard/attest.h \
	tests/vcard/authenticate.c \
	tests/vcard/card.c tests/vcard/card.h \
	tests/vcard/certificate.c tests/vcard/certificate.h \
	tests/vcard/data.c \
	tests/vcard/dispatch.c tests/vcard/dispatch.h \
	tests/vcard/generate.c \
	tests/vcard/keys.c tests/vcard/keys.h \
	tests/vcard/pin.c \
	tests/vcard/scp11.c tests/vcard/scp11.h \
	tests/vcard/scp11-key.c \
	tests/vcard/secure-channel.c tests/vcard/secure-channel.h \
	tests/vcard/security-domain.c \
	tests/vcard/state.c tests/vcard/state.h \
	tests/vcard/vcard.h \
	tests/vcard/yubikey.c
libtessera_vcard_la_CPPFLAGS = $(VCARD_CPPFLAGS)
libtessera_vcard_la_LIBADD = libcommon.la $(OPENSSL_LIBS)

noinst_PROGRAMS += tests/vcard/tessera-vcard
tests_vcard_tessera_vcard_SOURCES = \
	tests/vcard/control.c tests/vcard/control.h \
	tests/vcard/knobs.c tests/vcard/knobs.h \
	tests/vcard/main.c \
	tests/vcard/options.c tests/vcard/options.h \
	tests/vcard/vpcd.c tests/vcard/vpcd.h
tests_vcard_tessera_vcard_CPPFLAGS = $(VCARD_CPPFLAGS)
tests_vcard_tessera_vcard_LDADD = libtessera-vcard.la
