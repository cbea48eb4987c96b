# Readers and cards by PC/SC: what the daemon and the command's agent share.
noinst_LTLIBRARIES += libpcsc-layer.la
libpcsc_layer_la_SOURCES = \
	pcsc/reader-watch.c pcsc/reader-watch.h \
	pcsc/transport.h pcsc/transport-pcsc.c
libpcsc_layer_la_CPPFLAGS = $(AM_CPPFLAGS) $(PCSC_CFLAGS)
libpcsc_layer_la_LIBADD = libcommon.la $(PCSC_LIBS)
