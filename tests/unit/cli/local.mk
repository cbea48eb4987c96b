CLI_UNIT_CPPFLAGS = $(CLI_CPPFLAGS) $(CMOCKA_CFLAGS) -I$(top_srcdir)/tests/unit
CLI_UNIT_LIBS = libtessera-cli.la $(CMOCKA_LIBS) -lpthread

check_PROGRAMS += tests/unit/cli/agent-notify tests/unit/cli/arguments \
	tests/unit/cli/bridge-greeting tests/unit/cli/card-uri tests/unit/cli/job-wait \
	tests/unit/cli/output tests/unit/cli/pin tests/unit/cli/signed-content tests/unit/cli/table
tests_unit_cli_agent_notify_SOURCES = tests/unit/cli/agent-notify.c
tests_unit_cli_agent_notify_CPPFLAGS = $(CLI_UNIT_CPPFLAGS)
tests_unit_cli_agent_notify_LDADD = $(CLI_UNIT_LIBS)
tests_unit_cli_arguments_SOURCES = tests/unit/cli/arguments.c
tests_unit_cli_arguments_CPPFLAGS = $(CLI_UNIT_CPPFLAGS)
tests_unit_cli_arguments_LDADD = $(CLI_UNIT_LIBS)
tests_unit_cli_bridge_greeting_SOURCES = tests/unit/cli/bridge-greeting.c
tests_unit_cli_bridge_greeting_CPPFLAGS = $(CLI_UNIT_CPPFLAGS)
tests_unit_cli_bridge_greeting_LDADD = $(CLI_UNIT_LIBS) $(DBUS_LIBS)
tests_unit_cli_card_uri_SOURCES = tests/unit/cli/card-uri.c
tests_unit_cli_card_uri_CPPFLAGS = $(CLI_UNIT_CPPFLAGS)
tests_unit_cli_card_uri_LDADD = $(CLI_UNIT_LIBS)
tests_unit_cli_job_wait_SOURCES = tests/unit/cli/job-wait.c \
	tests/unit/cli/fake-server.c tests/unit/cli/fake-server.h
tests_unit_cli_job_wait_CPPFLAGS = $(CLI_UNIT_CPPFLAGS)
tests_unit_cli_job_wait_LDADD = $(CLI_UNIT_LIBS)
tests_unit_cli_output_SOURCES = tests/unit/cli/output.c
tests_unit_cli_output_CPPFLAGS = $(CLI_UNIT_CPPFLAGS)
tests_unit_cli_output_LDADD = $(CLI_UNIT_LIBS)
tests_unit_cli_pin_SOURCES = tests/unit/cli/pin.c
tests_unit_cli_pin_CPPFLAGS = $(CLI_UNIT_CPPFLAGS)
tests_unit_cli_pin_LDADD = $(CLI_UNIT_LIBS)
tests_unit_cli_signed_content_SOURCES = tests/unit/cli/signed-content.c
tests_unit_cli_signed_content_CPPFLAGS = $(CLI_UNIT_CPPFLAGS)
tests_unit_cli_signed_content_LDADD = $(CLI_UNIT_LIBS)
tests_unit_cli_table_SOURCES = tests/unit/cli/table.c
tests_unit_cli_table_CPPFLAGS = $(CLI_UNIT_CPPFLAGS)
tests_unit_cli_table_LDADD = $(CLI_UNIT_LIBS)
