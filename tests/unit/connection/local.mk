# unit tests of connection
check_PROGRAMS += tests/unit/connection/memory
tests_unit_connection_memory_SOURCES = tests/unit/connection/memory.c
tests_unit_connection_memory_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_connection_memory_LDADD = $(UNIT_LIBS)
