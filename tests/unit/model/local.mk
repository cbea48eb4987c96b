# unit tests of model
check_PROGRAMS += tests/unit/model/card-type
tests_unit_model_card_type_SOURCES = tests/unit/model/card-type.c
tests_unit_model_card_type_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_model_card_type_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/model/certificate
tests_unit_model_certificate_SOURCES = tests/unit/model/certificate.c
tests_unit_model_certificate_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_model_certificate_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/model/holder
tests_unit_model_holder_SOURCES = tests/unit/model/holder.c
tests_unit_model_holder_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_model_holder_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/model/key
tests_unit_model_key_SOURCES = tests/unit/model/key.c
tests_unit_model_key_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_model_key_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/model/licence
tests_unit_model_licence_SOURCES = tests/unit/model/licence.c tests/lib/licence-fixture.c tests/lib/licence-fixture.h
tests_unit_model_licence_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_model_licence_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/model/lifecycle
tests_unit_model_lifecycle_SOURCES = tests/unit/model/lifecycle.c
tests_unit_model_lifecycle_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_model_lifecycle_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/model/pattern
tests_unit_model_pattern_SOURCES = tests/unit/model/pattern.c
tests_unit_model_pattern_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_model_pattern_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/model/pin-policy
tests_unit_model_pin_policy_SOURCES = tests/unit/model/pin-policy.c \
	tests/lib/scratch.c tests/lib/scratch.h
# It reads the shipped list of weak PINs.
tests_unit_model_pin_policy_CPPFLAGS = $(UNIT_CPPFLAGS) -DSOURCE_FOLDER='"$(abs_top_srcdir)"'
tests_unit_model_pin_policy_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/model/template
tests_unit_model_template_SOURCES = tests/unit/model/template.c
tests_unit_model_template_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_model_template_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/model/template-change
tests_unit_model_template_change_SOURCES = tests/unit/model/template-change.c
tests_unit_model_template_change_CPPFLAGS = $(UNIT_CPPFLAGS) $(JANSSON_CFLAGS)
tests_unit_model_template_change_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/model/template-sections
tests_unit_model_template_sections_SOURCES = tests/unit/model/template-sections.c
tests_unit_model_template_sections_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_model_template_sections_LDADD = $(UNIT_LIBS)
