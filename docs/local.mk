# Documentation: manual pages are installed, the rest is read where it is.
dist_man_MANS += \
	docs/man/tessera.1 \
	docs/man/tessera-connection.5 \
	docs/man/tessera-template.5 \
	docs/man/tessera-type.5 \
	docs/man/tesserad.conf.5 \
	docs/man/tessera-pkcs11.7 \
	docs/man/tesserad.8

EXTRA_DIST += docs/architecture.md docs/conformance.md docs/dbus.md docs/lifecycle.md docs/roadmap.md docs/security.md docs/guide
