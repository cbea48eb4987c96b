/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/agent-notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/client-desktop.h"
#include "cli/client.h"

#define DAY 86400
#define NOW ((int64_t)1800000000)

/* --- a desktop that notes what it is told, in the place of cli/client-desktop.c --- */

static struct client_desktop {
	bool is_there;
	unsigned shown, closed;
	char last[256];
	uint32_t replaced;
} desktop;

struct client_desktop *client_desktop_new(void)
{
	return &desktop;
}

void client_desktop_free(struct client_desktop *own)
{
	(void)own;
}

bool client_desktop_show(struct client_desktop *own, const struct client_notification *notification,
	struct client_shown *shown)
{
	if (!own->is_there)
		return false;
	own->replaced = shown->id;
	own->shown++;
	snprintf(own->last, sizeof(own->last), "%s", notification->summary);
	*shown = (struct client_shown){.id = own->shown};
	return true;
}

void client_desktop_close(struct client_desktop *own, struct client_shown *shown)
{
	own->closed += shown->id != 0;
	*shown = (struct client_shown){0};
}

/* --- */

static char folder[] = "/tmp/tessera-notify-XXXXXX";

static struct agent_notify *begin(void)
{
	desktop = (struct client_desktop){.is_there = true};
	return agent_notify_new();
}

static void forget_all(void)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/tessera/notifications", folder) > 0);
	unlink(path);
}

static bool look(struct agent_notify *notify, const char *pin_state, const char *state,
	int64_t pin_end, int64_t end, int64_t now)
{
	_cleanup_json_ json_t *readers =
		json_pack("[{s:i,s:s,s:s,s:s,s:s,s:I,s:b,s:I}, {s:n,s:s,s:s}]", "credential", 1,
			"serial", "yubikey-1", "problem", "", "state", state, "pin_state",
			pin_state, "pin_expires_at", (json_int_t)pin_end, "unblock_available", 0,
			"certificates_expire_at", (json_int_t)end, "credential", "serial", "other",
			"pin_state", "blocked");

	assert_non_null(readers);
	return agent_notify_look(notify, readers, now);
}

static void certificates_are_told_at_each_step_once(void **state)
{
	static const struct {
		int64_t days_left;
		const char *says; /* NULL: nothing new */
	} cases[] = {
		{31, NULL},
		{30, "Your certificate expires in 30 days"},
		{29, NULL},
		{15, NULL},
		{14, "Your certificate expires in 14 days"},
		{7, "Your certificate expires in 7 days"},
		{6, NULL},
		{2, "Your certificate expires in 2 days"},
		{1, "Your certificate expires in 1 day"},
		{0, "A certificate of your card has expired"},
		{-5, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t now = NOW - cases[i].days_left * DAY;
		/* Each of them after a restart. */
		struct agent_notify *notify = begin();
		assert_true(look(notify, "good", "active", 0, NOW, now));
		assert_int_equal(desktop.shown, cases[i].says != NULL);
		if (cases[i].says)
			assert_string_equal(desktop.last, cases[i].says);
		look(notify, "good", "active", 0, NOW, now);
		assert_int_equal(desktop.shown, cases[i].says != NULL);
		agent_notify_free(notify);
	}
	forget_all();
}

static void a_later_step_takes_the_place_of_the_one_before(void **state)
{
	struct agent_notify *notify = begin();

	(void)state;
	look(notify, "good", "active", 0, NOW, NOW - 20 * DAY);
	look(notify, "good", "active", 0, NOW, NOW - 10 * DAY);
	assert_int_equal(desktop.shown, 2);
	assert_int_equal(desktop.replaced, 1);
	look(notify, "good", "active", 0, NOW + 365 * DAY, NOW - 10 * DAY);
	assert_int_equal(desktop.closed, 1);
	agent_notify_free(notify);
	forget_all();
}

static void what_is_over_is_closed_and_is_news_again(void **state)
{
	struct agent_notify *notify = begin();

	(void)state;
	look(notify, "blocked", "active", 0, 0, NOW);
	assert_string_equal(desktop.last, "Your card is blocked");
	look(notify, "blocked", "active", 0, 0, NOW);
	assert_int_equal(desktop.shown, 1);
	look(notify, "good", "active", 0, 0, NOW);
	assert_int_equal(desktop.closed, 1);
	look(notify, "blocked", "active", 0, 0, NOW);
	assert_int_equal(desktop.shown, 2);
	agent_notify_free(notify);
	forget_all();
}

static void a_pin_grows_old_without_a_word_of_the_service(void **state)
{
	struct agent_notify *notify = begin();

	(void)state;
	look(notify, "good", "active", NOW + 1, 0, NOW);
	assert_int_equal(desktop.shown, 0);
	look(notify, "good", "active", NOW + 1, 0, NOW + 1);
	assert_string_equal(desktop.last, "Enter a new PIN");
	look(notify, "expired", "active", NOW + 1, 0, NOW + 2);
	assert_int_equal(desktop.shown, 1);
	agent_notify_free(notify);
	forget_all();
}

static void without_a_desktop_it_is_kept_for_one(void **state)
{
	struct agent_notify *notify = begin();

	(void)state;
	desktop.is_there = false;
	assert_false(look(notify, "not-set", "issued", 0, 0, NOW));
	desktop.is_there = true;
	assert_true(look(notify, "not-set", "issued", 0, 0, NOW));
	assert_string_equal(desktop.last, "Your card has no PIN yet");
	agent_notify_free(notify);
	forget_all();
}

static void a_suspension_does_not_make_old_news_new(void **state)
{
	struct agent_notify *notify = begin();

	(void)state;
	look(notify, "good", "active", 0, NOW + 5 * DAY, NOW);
	look(notify, "good", "inactive", 0, NOW + 5 * DAY, NOW);
	assert_string_equal(desktop.last, "Your card is suspended");
	look(notify, "good", "active", 0, NOW + 5 * DAY, NOW);
	assert_int_equal(desktop.shown, 2);
	assert_int_equal(desktop.closed, 1);
	look(notify, "", "revoked", 0, NOW + 5 * DAY, NOW);
	assert_string_equal(desktop.last, "Your card is revoked");
	agent_notify_free(notify);
	forget_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_are_told_at_each_step_once),
		cmocka_unit_test(a_later_step_takes_the_place_of_the_one_before),
		cmocka_unit_test(what_is_over_is_closed_and_is_news_again),
		cmocka_unit_test(a_pin_grows_old_without_a_word_of_the_service),
		cmocka_unit_test(without_a_desktop_it_is_kept_for_one),
		cmocka_unit_test(a_suspension_does_not_make_old_news_new),
	};

	if (!mkdtemp(folder) || setenv("XDG_STATE_HOME", folder, 1) != 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	_cleanup_free_ char *sub = NULL;
	if (asprintf(&sub, "%s/tessera", folder) > 0)
		rmdir(sub);
	rmdir(folder);
	return failed;
}
