# data: what tells the rest of the system about Tessera, and what a new store is given

EXTRA_DIST += data/tesserad.service.in data/tessera.module.in data/tessera.rules \
	data/tessera.sysusers data/tessera.tmpfiles

data/tesserad.service: $(top_srcdir)/data/tesserad.service.in Makefile
	$(SUBSTITUTE) $< >$@
data/tessera.module: $(top_srcdir)/data/tessera.module.in Makefile
	$(SUBSTITUTE) $< >$@
CLEANFILES += data/tesserad.service data/tessera.module

systemdsystemunit_DATA = data/tesserad.service
p11kitmodule_DATA = data/tessera.module

# pcscd may ask polkit who comes.
data/polkit/org.tessera1.rules: $(top_srcdir)/data/tessera.rules
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $< $@
CLEANFILES += data/polkit/org.tessera1.rules
polkitrules_DATA = data/polkit/org.tessera1.rules

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
	data/templates/employee.json

tesseraconnectionsdir = $(pkgdatadir)/connections
dist_tesseraconnections_DATA = data/connections/local.json
