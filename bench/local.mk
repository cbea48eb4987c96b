# Programs that measure; bench/run runs them.
noinst_PROGRAMS += bench/card-use
bench_card_use_SOURCES = bench/card-use.c
bench_card_use_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
bench_card_use_LDADD = -ldl
EXTRA_DIST += bench/run bench/measure bench/README

# A store as it is after years, and what the daemon makes of it.
noinst_PROGRAMS += bench/store-generate bench/store-use
bench_store_generate_SOURCES = bench/store-generate.c
bench_store_generate_CPPFLAGS = $(DAEMON_CPPFLAGS)
bench_store_generate_LDADD = libtesserad.la
bench_store_use_SOURCES = bench/store-use.c
bench_store_use_CPPFLAGS = $(CLI_CPPFLAGS)
bench_store_use_LDADD = libtessera-cli.la
EXTRA_DIST += bench/store-measure

# Keys of a slot beside the same token in the program's own process, and through p11-kit's remoting.
noinst_PROGRAMS += bench/slot-use bench/slot-objects bench/slot-crowd
BENCH_MODULE_SOURCES = bench/module.c bench/module.h
bench_slot_use_SOURCES = bench/slot-use.c $(BENCH_MODULE_SOURCES)
bench_slot_use_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
bench_slot_use_LDADD = -ldl -lpthread
bench_slot_objects_SOURCES = bench/slot-objects.c $(BENCH_MODULE_SOURCES)
bench_slot_objects_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
bench_slot_objects_LDADD = -ldl
bench_slot_crowd_SOURCES = bench/slot-crowd.c $(BENCH_MODULE_SOURCES)
bench_slot_crowd_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
bench_slot_crowd_LDADD = -ldl
EXTRA_DIST += bench/slot-measure bench/slot-enroll bench/bar.sh

# People of a directory, found as one types.
noinst_PROGRAMS += bench/directory-use
bench_directory_use_SOURCES = bench/directory-use.c
bench_directory_use_CPPFLAGS = $(CLI_CPPFLAGS)
bench_directory_use_LDADD = libtessera-cli.la
EXTRA_DIST += bench/directory-search
