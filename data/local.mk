# data: what tells the rest of the system about Tessera, and what a new store is given

EXTRA_DIST += data/tesserad.service.in data/tessera-agent.service.in data/tessera.module.in data/tessera.rules \
	data/tessera.sysusers data/tessera.tmpfiles

data/tesserad.service: $(top_srcdir)/data/tesserad.service.in Makefile
	$(SUBSTITUTE) $< >$@
data/tessera-agent.service: $(top_srcdir)/data/tessera-agent.service.in Makefile
	$(SUBSTITUTE) $< >$@
data/tessera.module: $(top_srcdir)/data/tessera.module.in Makefile
	$(SUBSTITUTE) $< >$@
CLEANFILES += data/tesserad.service data/tessera-agent.service data/tessera.module

systemdsystemunit_DATA = data/tesserad.service
systemduserunit_DATA = data/tessera-agent.service
p11kitmodule_DATA = data/tessera.module

# pcscd may ask polkit who comes.
data/polkit/org.tessera1.rules: $(top_srcdir)/data/tessera.rules
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $< $@
CLEANFILES += data/polkit/org.tessera1.rules
polkitrules_DATA = data/polkit/org.tessera1.rules

# For desktops; people enable it for themselves.
EXTRA_DIST += data/tessera-notify.service.in
data/tessera-notify.service: $(top_srcdir)/data/tessera-notify.service.in Makefile
	$(SUBSTITUTE) $< >$@
CLEANFILES += data/tessera-notify.service
notifyunitdir = $(systemduserunitdir)
notifyunit_DATA = data/tessera-notify.service

# Who may initialise besides root.
dist_polkitactions_DATA = data/org.tessera1.policy

# Both are called tessera.conf where they are installed.
data/sysusers/tessera.conf: $(top_srcdir)/data/tessera.sysusers
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $< $@
data/tmpfiles/tessera.conf: $(top_srcdir)/data/tessera.tmpfiles
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $< $@
CLEANFILES += data/sysusers/tessera.conf data/tmpfiles/tessera.conf
sysusers_DATA = data/sysusers/tessera.conf
tmpfiles_DATA = data/tmpfiles/tessera.conf

tesseraconfdir = $(sysconfdir)/tessera
dist_tesseraconf_DATA = data/tesserad.conf

tesseratemplatesdir = $(pkgdatadir)/templates
dist_tesseratemplates_DATA = \
	data/templates/ec.json \
	data/templates/employee.json \
	data/templates/operator.json \
	data/templates/system-owner.json \
	data/templates/tls-server.json

dist_pkgdata_DATA = data/weak-pins

tesseratypesdir = $(pkgdatadir)/types
dist_tesseratypes_DATA = \
	data/types/etoken-5110.json \
	data/types/etoken-5110-plus.json \
	data/types/gids.json \
	data/types/hid-crescendo.json \
	data/types/hid-crescendo-2300.json \
	data/types/hsm-key.json \
	data/types/idprime-830.json \
	data/types/idprime-930.json \
	data/types/idprime-940.json \
	data/types/nitrokey-3.json \
	data/types/piv.json \
	data/types/softhsm.json \
	data/types/tpm.json \
	data/types/yubikey-4.json \
	data/types/yubikey-5.json \
	data/types/yubikey-5-7.json \
	data/types/yubikey-neo.json

tesseraconnectionsdir = $(pkgdatadir)/connections
dist_tesseraconnections_DATA = data/connections/local.json
