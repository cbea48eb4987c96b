# What the module and the daemon share; no device, no bus.
noinst_LTLIBRARIES += libcommon.la
libcommon_la_SOURCES = \
	common/alloc.c common/alloc.h \
	common/audit-checkpoint.c common/audit-checkpoint.h \
	common/audit-login.c common/audit-login.h \
	common/audit-logins.c common/audit-logins.h \
	common/audit-record.c common/audit-record.h \
	common/audit-signature.c common/audit-signature.h \
	common/audit-verifier.c common/audit-verifier.h \
	common/buffer.c common/buffer.h \
	common/check-digits.c common/check-digits.h \
	common/csv.c common/csv.h \
	common/error.c common/error.h \
	common/fields.c common/fields.h \
	common/log.c common/log.h \
	common/macros.h \
	common/secret.c common/secret.h \
	common/text.c common/text.h \
	common/tlv.c common/tlv.h \
	common/token-serial.c common/token-serial.h \
	common/utf8.c common/utf8.h
libcommon_la_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(P11KIT_CFLAGS)
