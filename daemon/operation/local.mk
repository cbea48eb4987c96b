# The verbs: one file each, and what they share.
libtesserad_la_SOURCES += \
	daemon/operation/activate.c \
	daemon/operation/agent-card.c daemon/operation/agent-card.h \
	daemon/operation/appoint.c daemon/operation/appoint.h \
	daemon/operation/blank.c daemon/operation/blank.h \
	daemon/operation/card-key.c daemon/operation/card-key.h \
	daemon/operation/card-renew.c daemon/operation/card-renew.h \
	daemon/operation/certificates.c daemon/operation/certificates.h \
	daemon/operation/change-pin.c \
	daemon/operation/changeover.c daemon/operation/changeover.h \
	daemon/operation/client-key.c daemon/operation/client-key.h \
	daemon/operation/connection-kinds.c daemon/operation/connection-kinds.h \
	daemon/operation/connections.c daemon/operation/connections.h \
	daemon/operation/contact-events.c daemon/operation/contact-remote.c daemon/operation/contact-private.h \
	daemon/operation/contact-read.c daemon/operation/contact-read.h \
	daemon/operation/contact.c daemon/operation/contact.h \
	daemon/operation/detect.c \
	daemon/operation/documents.c daemon/operation/documents.h \
	daemon/operation/enroll.c daemon/operation/enroll.h \
	daemon/operation/expiry.c daemon/operation/expiry.h \
	daemon/operation/first-start.c daemon/operation/first-start.h \
	daemon/operation/identity.c daemon/operation/identity.h \
	daemon/operation/information.c daemon/operation/information.h \
	daemon/operation/information-atr.c daemon/operation/information-piv.c \
	daemon/operation/information-private.h \
	daemon/operation/initiate.c \
	daemon/operation/issue.c daemon/operation/issue.h \
	daemon/operation/key-backup.c daemon/operation/key-backup.h \
	daemon/operation/key-content.c daemon/operation/key-content.h \
	daemon/operation/key-restore.c daemon/operation/key-restore.h \
	daemon/operation/licence.c daemon/operation/licence.h \
	daemon/operation/licence-activate.c \
	daemon/operation/login-card.c \
	daemon/operation/login-proof.c \
	daemon/operation/login.c daemon/operation/login.h daemon/operation/login-private.h \
	daemon/operation/master-keys.c daemon/operation/master-keys.h \
	daemon/operation/operators.c daemon/operation/operators.h \
	daemon/operation/owner.c daemon/operation/owner.h \
	daemon/operation/ownership.c daemon/operation/ownership.h \
	daemon/operation/personalise.c daemon/operation/personalise.h \
	daemon/operation/pin.c daemon/operation/pin.h \
	daemon/operation/pin-generate.c \
	daemon/operation/pin-history.c daemon/operation/pin-history.h \
	daemon/operation/pin-rules.c daemon/operation/pin-rules.h \
	daemon/operation/pin-tries.c daemon/operation/pin-tries.h \
	daemon/operation/provider.c daemon/operation/provider.h daemon/operation/provider-private.h \
	daemon/operation/provider-card.c daemon/operation/provider-object.c \
	daemon/operation/provider-owner.c daemon/operation/provider-slot.c \
	daemon/operation/provider-slot-pin.c daemon/operation/provider-stream.c \
	daemon/operation/quorum.c daemon/operation/quorum.h \
	daemon/operation/remote-card.c daemon/operation/remote-card.h \
	daemon/operation/recover.c daemon/operation/recover.h \
	daemon/operation/register.c \
	daemon/operation/reissue.c \
	daemon/operation/remaining.c daemon/operation/remaining.h \
	daemon/operation/reminders.c daemon/operation/reminders.h \
	daemon/operation/renew.c \
	daemon/operation/replace.c daemon/operation/replace.h \
	daemon/operation/report.c daemon/operation/report.h \
	daemon/operation/retire.c \
	daemon/operation/revoke-many.c \
	daemon/operation/roles.c daemon/operation/roles.h \
	daemon/operation/services.h \
	daemon/operation/session.c daemon/operation/session.h \
	daemon/operation/slots.c daemon/operation/slots.h daemon/operation/slots-private.h \
	daemon/operation/slot-access.c \
	daemon/operation/slot-certify.c \
	daemon/operation/slot-enroll.c \
	daemon/operation/slot-key-list.c \
	daemon/operation/slot-key-steps.c \
	daemon/operation/slot-key-table.c \
	daemon/operation/slot-keys.h \
	daemon/operation/slot-renew.c \
	daemon/operation/slot-retire.c \
	daemon/operation/slot-token.c \
	daemon/operation/slot-verbs.c \
	daemon/operation/status-verbs.c \
	daemon/operation/self.c daemon/operation/self.h daemon/operation/self-private.h \
	daemon/operation/self-code.c daemon/operation/self-code.h \
	daemon/operation/self-give.c daemon/operation/self-give.h \
	daemon/operation/self-limits.c daemon/operation/self-limits.h \
	daemon/operation/self-password.c \
	daemon/operation/self-rights.c daemon/operation/self-rights.h \
	daemon/operation/self-try.c \
	daemon/operation/system-user.c daemon/operation/system-user.h \
	daemon/operation/mails.c daemon/operation/mails.h \
	daemon/operation/people.c daemon/operation/people.h \
	daemon/operation/people-list.c daemon/operation/people-list.h \
	daemon/operation/people-news.c daemon/operation/people-news.h \
	daemon/operation/people-template.c \
	daemon/operation/people-watch.c daemon/operation/people-watch.h \
	daemon/operation/simple-id.c daemon/operation/simple-id.h \
	daemon/operation/task-alarm.c daemon/operation/task-alarm.h \
	daemon/operation/task-card.c \
	daemon/operation/task-confirm.c \
	daemon/operation/task-private.h \
	daemon/operation/task-work.c \
	daemon/operation/tasks.c daemon/operation/tasks.h \
	daemon/operation/template-check.c \
	daemon/operation/template-drift.c \
	daemon/operation/template-plan.c \
	daemon/operation/template-rules.c daemon/operation/template-rules.h \
	daemon/operation/templates.c daemon/operation/templates.h \
	daemon/operation/token-settings.c daemon/operation/token-settings.h \
	daemon/operation/types.c daemon/operation/types.h \
	daemon/operation/unblock-code.c daemon/operation/unblock-code.h \
	daemon/operation/unregister.c \
	daemon/operation/update.c \
	daemon/operation/vault.c daemon/operation/vault.h \
	daemon/operation/verbs.h
