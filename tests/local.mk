# The tests' own tools. Unit tests list themselves in tests/unit/*/local.mk.
EXTRA_DIST += tests/README tests/sandbox tests/run tests/install tests/lib tests/lint tests/e2e tests/servers

# For tests/run: the unit test programs, one a line.
.PHONY: list-unit-tests
list-unit-tests:
	@for program in $(check_PROGRAMS); do echo $$program; done

.PHONY: unit-tests
unit-tests: $(check_PROGRAMS)
