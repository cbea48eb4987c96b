# Programs that measure; bench/run runs them.
noinst_PROGRAMS += bench/card-use
bench_card_use_SOURCES = bench/card-use.c
bench_card_use_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
bench_card_use_LDADD = -ldl
EXTRA_DIST += bench/run bench/measure bench/README
