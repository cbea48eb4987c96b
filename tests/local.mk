# The tests' own tools. Unit tests list themselves in tests/unit/*/local.mk.
EXTRA_DIST += tests/README tests/sandbox tests/run tests/install tests/fuzz tests/lib tests/lint \
	tests/e2e tests/servers

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
