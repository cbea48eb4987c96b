# daemon/authority
libtesserad_la_SOURCES += \
	daemon/authority/attempt.c daemon/authority/attempt.h \
	daemon/authority/authority.c daemon/authority/authority.h \
	daemon/authority/digicert-one.c daemon/authority/digicert-one.h \
	daemon/authority/digicert-one-enroll.c \
	daemon/authority/digicert-one-fields.c \
	daemon/authority/digicert-one-private.h \
	daemon/authority/digicert-one-profiles.c \
	daemon/authority/digicert-one-request.c \
	daemon/authority/digicert-one-settings.c \
	daemon/authority/digicert-one-status.c \
	daemon/authority/digicert-one-test.c \
	daemon/authority/issued.c daemon/authority/issued.h \
	daemon/authority/issued-decode.c \
	daemon/authority/issued-issuer.c \
	daemon/authority/local-ca.c daemon/authority/local-ca.h \
	daemon/authority/local-ca-certificate.c \
	daemon/authority/local-ca-crl.c \
	daemon/authority/local-ca-extensions.c \
	daemon/authority/local-ca-private.h \
	daemon/authority/local-ca-publish.c \
	daemon/authority/local-ca-settings.c \
	daemon/authority/mapping.c daemon/authority/mapping.h \
	daemon/authority/ms-cs-agent.c daemon/authority/ms-cs-agent.h \
	daemon/authority/ms-cs-agent-settings.c \
	daemon/authority/ms-cs-check.c daemon/authority/ms-cs-check.h \
	daemon/authority/ms-cs-purposes.c \
	daemon/authority/ms-cs-status.c \
	daemon/authority/ms-cs-request.c daemon/authority/ms-cs-request.h \
	daemon/authority/ms-cs-revoke.c daemon/authority/ms-cs-revoke.h \
	daemon/authority/ms-cs.c daemon/authority/ms-cs.h \
	daemon/authority/ms-cs-ces.c \
	daemon/authority/ms-cs-enroll.c \
	daemon/authority/ms-cs-exchange.c \
	daemon/authority/ms-cs-fault.c \
	daemon/authority/ms-cs-message.c \
	daemon/authority/ms-cs-policy.c \
	daemon/authority/ms-cs-private.h \
	daemon/authority/ms-cs-profiles.c \
	daemon/authority/ms-cs-settings.c \
	daemon/authority/ms-cs-test.c \
	daemon/authority/ms-cs-token.c \
	daemon/authority/ms-cs-web.c \
	daemon/authority/ms-cs-web-page.c \
	daemon/authority/ms-cs-wrap.c \
	daemon/authority/pki-platform.c daemon/authority/pki-platform.h \
	daemon/authority/pki-platform-answer.c \
	daemon/authority/pki-platform-enroll.c \
	daemon/authority/pki-platform-fields.c \
	daemon/authority/pki-platform-policies.c \
	daemon/authority/pki-platform-private.h \
	daemon/authority/pki-platform-profiles.c \
	daemon/authority/pki-platform-request.c \
	daemon/authority/pki-platform-search.c \
	daemon/authority/pki-platform-settings.c \
	daemon/authority/pki-platform-status.c \
	daemon/authority/pki-platform-test.c \
	daemon/authority/profile.c daemon/authority/profile.h \
	daemon/authority/profile-list.c \
	daemon/authority/revocation-check.c daemon/authority/revocation-check.h \
	daemon/authority/revocation-list.c \
	daemon/authority/revocation-ocsp.c \
	daemon/authority/revocation-places.c \
	daemon/authority/revocation-private.h \
	daemon/authority/revocation-settings.c
