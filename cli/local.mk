# tessera, the command; all of it but main.c as a library for its unit tests.
noinst_LTLIBRARIES += libtessera-cli.la
libtessera_cli_la_SOURCES = \
	cli/agent.c cli/agent.h \
	cli/agent-consent.c cli/agent-consent.h \
	cli/agent-reader.c cli/agent-reader.h \
	cli/agent-server.c \
	cli/agent-stations.c \
	cli/agent-notify.c cli/agent-notify.h \
	cli/arguments.c cli/arguments.h \
	cli/audit.c cli/audit.h \
	cli/audit-export.c \
	cli/audit-verify.c \
	cli/batch.c cli/batch-private.h \
	cli/batch-card.c \
	cli/batch-input.c cli/batch-input.h \
	cli/batch-pin.c \
	cli/batch-row.c \
	cli/batch-result.c cli/batch-result.h \
	cli/bridge.c \
	cli/bridge-greeting.c cli/bridge-greeting.h \
	cli/card.c cli/card.h \
	cli/card-code.c cli/card-code.h \
	cli/card-find.c cli/card-find.h \
	cli/card-revoke.c \
	cli/card-search.c \
	cli/card-update.c \
	cli/card-uri.c cli/card-uri.h \
	cli/card-verb.c \
	cli/client.c cli/client.h \
	cli/client-agent.c cli/client-agent.h \
	cli/client-desktop.c cli/client-desktop.h \
	cli/client-host.c cli/client-host.h \
	cli/client-message.c cli/client-private.h \
	cli/client-session.c cli/client-session.h \
	cli/command.c cli/command.h \
	cli/connection.c \
	cli/connection-edit.c \
	cli/directory.c \
	cli/document.c cli/document.h \
	cli/file.c cli/file.h \
	cli/help.c cli/help.h \
	cli/hint.c cli/hint.h \
	cli/interrupt.c cli/interrupt.h \
	cli/job.c \
	cli/job-wait.c cli/job-wait.h \
	cli/key.c cli/key.h \
	cli/key-backup.c \
	cli/licence.c \
	cli/login.c \
	cli/names.c cli/names.h \
	cli/notify.c \
	cli/object.c cli/object.h \
	cli/operator.c cli/operator.h \
	cli/output.c cli/output.h \
	cli/pin.c cli/pin.h \
	cli/quorum.c \
	cli/reader.c cli/reader.h \
	cli/reader-info.c \
	cli/report.c \
	cli/report-people.c \
	cli/role.c \
	cli/self.c \
	cli/self-code.c \
	cli/self-proof.c cli/self-proof.h \
	cli/signed-content.c cli/signed-content.h \
	cli/signer.c cli/signer.h \
	cli/slot.c \
	cli/slot-batch.c \
	cli/slot-batch-row.c cli/slot-batch.h \
	cli/slot-key.c cli/slot-key.h \
	cli/status.c \
	cli/suggest.c cli/suggest.h \
	cli/table.c cli/table.h \
	cli/task.c \
	cli/editor.c cli/editor.h \
	cli/template.c cli/template.h \
	cli/template-cards.c \
	cli/template-edit.c \
	cli/template-transfer.c \
	cli/terminal.c cli/terminal.h \
	cli/text.c cli/text.h \
	cli/time.c cli/time.h \
	cli/type.c
libtessera_cli_la_CPPFLAGS = $(CLI_CPPFLAGS)
libtessera_cli_la_LIBADD = libdbus-layer.la libpcsc-layer.la libcommon.la $(DBUS_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS) -lpthread

CLI_CPPFLAGS = $(AM_CPPFLAGS) $(DBUS_CFLAGS) $(JANSSON_CFLAGS) $(OPENSSL_CFLAGS)

bin_PROGRAMS += tessera
tessera_SOURCES = cli/main.c
tessera_CPPFLAGS = $(CLI_CPPFLAGS)
tessera_LDADD = libtessera-cli.la

# Completions are found by the command's name.
bashcompletion_DATA = cli/completion/tessera
cli/completion/tessera: data/tessera.bash-completion
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $(top_srcdir)/data/tessera.bash-completion $@
EXTRA_DIST += data/tessera.bash-completion
CLEANFILES += cli/completion/tessera
