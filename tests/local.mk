# The tests' own tools. Unit tests list themselves in tests/unit/*/local.mk.
EXTRA_DIST += tests/README tests/sandbox tests/run tests/install tests/fuzz tests/lib tests/lint \
	tests/e2e tests/servers

# In EXTRA_DIST "check" would be make's target of that name. What was built in these folders is not
# for others: make would take it for what it has to build.
dist-hook:
	cp "$(top_srcdir)/check" "$(distdir)/"
	find "$(distdir)/tests" \( -name '*.o' -o -name '*.lo' -o -name '*.la' -o -name .dirstamp \) -delete
	find "$(distdir)/tests" -depth \( -name .deps -o -name .libs -o -name __pycache__ \) -exec rm -rf {} +

# For tests/run: the unit test programs, one a line.
.PHONY: list-unit-tests
list-unit-tests:
	@for program in $(check_PROGRAMS); do echo $$program; done

.PHONY: unit-tests
unit-tests: $(check_PROGRAMS)

if SANITIZED
noinst_LTLIBRARIES += tests/lib/sanitizer-first.la
tests_lib_sanitizer_first_la_SOURCES = tests/lib/sanitizer-first.c
tests_lib_sanitizer_first_la_LDFLAGS = -module -avoid-version -rpath /nowhere -Wl,-z,initfirst
endif

# tests/e2e/killed_at_every_store_write.sh preloads it.
noinst_LTLIBRARIES += tests/lib/stop-at-write.la
tests_lib_stop_at_write_la_SOURCES = tests/lib/stop-at-write.c
tests_lib_stop_at_write_la_LDFLAGS = -module -avoid-version -rpath /nowhere

# A module for slots whose knobs make it crash, hang and lie.
noinst_LTLIBRARIES += tests/lib/vendor-module.la
tests_lib_vendor_module_la_SOURCES = tests/lib/vendor-module.c
tests_lib_vendor_module_la_CFLAGS = $(WARNINGS) $(P11KIT_CFLAGS) -fvisibility=hidden
tests_lib_vendor_module_la_LDFLAGS = -module -avoid-version -rpath /nowhere

# A program that forks, has many threads and is killed in the middle.
noinst_PROGRAMS += tests/lib/survivor
tests_lib_survivor_SOURCES = tests/lib/survivor.c
tests_lib_survivor_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_lib_survivor_LDADD = -lpthread -ldl

# Asks a directory for what no door of tesserad offers.
noinst_PROGRAMS += tests/lib/directory-ask
tests_lib_directory_ask_SOURCES = tests/lib/directory-ask.c
tests_lib_directory_ask_CPPFLAGS = $(DAEMON_CPPFLAGS)
tests_lib_directory_ask_LDADD = libtesserad.la
