# Checks of a PKCS#11 module by the text of the standard; tests/e2e/conforms_to_pkcs11.sh runs them.
noinst_PROGRAMS += tests/conformance/conformance
tests_conformance_conformance_SOURCES = tests/conformance/main.c \
	tests/conformance/attribute.c \
	tests/conformance/check.c \
	tests/conformance/conformance.h \
	tests/conformance/deviation.c tests/conformance/deviation.h \
	tests/conformance/digest.c \
	tests/conformance/edwards.c \
	tests/conformance/encrypt.c \
	tests/conformance/encrypt-parts.c \
	tests/conformance/encrypt-rsa.c \
	tests/conformance/find.c \
	tests/conformance/general.c \
	tests/conformance/generate.c \
	tests/conformance/import.c \
	tests/conformance/interface.c \
	tests/conformance/key.c \
	tests/conformance/login.c \
	tests/conformance/mechanism.c \
	tests/conformance/names.c \
	tests/conformance/object.c \
	tests/conformance/operation.c tests/conformance/operation.h \
	tests/conformance/pin.c \
	tests/conformance/process.c \
	tests/conformance/random.c \
	tests/conformance/reference.c tests/conformance/reference.h \
	tests/conformance/result.c tests/conformance/result.h \
	tests/conformance/secret.c \
	tests/conformance/session.c \
	tests/conformance/sign.c \
	tests/conformance/sign-rsa.c \
	tests/conformance/slot.c \
	tests/conformance/token.c \
	tests/conformance/verify.c tests/conformance/verify.h \
	tests/conformance/wrap.c
tests_conformance_conformance_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(P11KIT_CFLAGS) $(OPENSSL_CFLAGS)
tests_conformance_conformance_LDADD = $(OPENSSL_LIBS) -ldl -lpthread
EXTRA_DIST += tests/conformance/deviations
