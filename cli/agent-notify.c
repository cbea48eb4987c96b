/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/agent-notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/client-desktop.h"
#include "cli/file.h"
#include "common/alloc.h"

#define DAY_SECONDS   86400
#define CARDS_MAXIMUM 64
#define KEPT_MAXIMUM  256

/* Before a certificate's end it is said when so many days are left, the last time after it. */
static const int64_t steps[] = {0, 1, 3, 7, 14, 30};

/* What one kind of notification says of a card; all heap. `event` tells one time from another. */
struct notice {
	char *event; /* NULL: there is nothing to say */
	char *summary, *body;
	bool is_critical;
	bool is_unknown; /* what was said may hold still */
};

static void notice_clear(struct notice *notice)
{
	free(notice->event);
	free(notice->summary);
	free(notice->body);
}

/* One that is on the screen. */
struct popup {
	char *subject; /* "pin yubikey-12345678" */
	struct client_shown shown;
};

struct agent_notify {
	struct client_desktop *desktop;
	char *path;   /* of what was shown; NULL when there is no place for it */
	json_t *told; /* the event of each subject */
	bool has_news, cannot_write;
	bool is_waiting; /* something could not be shown */
	struct popup popups[CARDS_MAXIMUM];
	size_t popup_count;
};

static const char *string_of(const json_t *record, const char *key)
{
	const char *text = json_string_value(json_object_get(record, key));

	return text ? text : "";
}

/* --- what there is to say --- */

/* Words for a code of tesserad's. */
struct words {
	const char *code, *summary, *body;
	bool is_critical;
};

static void say(struct notice *notice, const struct words *words, const char *event)
{
	notice->event = xstrdup(event);
	notice->summary = xstrdup(words->summary);
	notice->body = xstrdup(words->body);
	notice->is_critical = words->is_critical;
}

static void say_by_code(
	struct notice *notice, const struct words *words, size_t count, const char *code)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i].code, code) == 0)
			say(notice, &words[i], code);
	}
}

static const struct words pin_words[] = {
	{"not-set", "Your card has no PIN yet", "Set its first PIN: tessera self activate", false},
	{"blocked", "Your card is blocked",
		"Wrong PINs have blocked it. Set a new one: tessera self unblock, or ask for help",
		true},
	{"expired", "Enter a new PIN", "The PIN of your card is too old: tessera self pin", true},
};
static const struct words unblock_words = {NULL, "Your card can be unblocked",
	"A code was given out for it, which is good for a day: tessera card unblock "
	"--unblock-code-file FILE",
	true};

static void about_pin(struct notice *notice, const json_t *reader, int64_t now)
{
	const char *state = string_of(reader, "pin_state");
	int64_t end = json_integer_value(json_object_get(reader, "pin_expires_at"));
	bool is_blocked = strcmp(state, "blocked") == 0;

	/* It may have become too old since tesserad said it. */
	if (strcmp(state, "good") == 0 && end != 0 && end <= now)
		state = "expired";
	if (is_blocked && json_is_true(json_object_get(reader, "unblock_available")))
		say(notice, &unblock_words, "unblock-available");
	else
		say_by_code(notice, pin_words, ARRAY_SIZE(pin_words), state);
}

static const struct words state_words[] = {
	{"inactive", "Your card is suspended",
		"Its keys cannot be used until it is resumed; ask for help", true},
	{"revoked", "Your card is revoked", "Its keys cannot be used any more; ask for another one",
		true},
	{"expired", "Your card has expired",
		"Its keys cannot be used any more; ask for another one", true},
};

static void about_state(struct notice *notice, const json_t *reader, int64_t now)
{
	(void)now;
	say_by_code(notice, state_words, ARRAY_SIZE(state_words), string_of(reader, "state"));
}

/* The smallest step that is not below the days that are left; -1 for none. */
static int64_t step_of(int64_t days)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (days <= steps[i])
			return steps[i];
	}
	return -1;
}

static void about_certificates(struct notice *notice, const json_t *reader, int64_t now)
{
	int64_t end = json_integer_value(json_object_get(reader, "certificates_expire_at"));
	int64_t days = end > now ? (end - now + DAY_SECONDS - 1) / DAY_SECONDS : 0;
	int64_t step = end == 0 ? -1 : step_of(days);

	/* A suspended card may come back; of a revoked one there is more to say than this. */
	notice->is_unknown = strcmp(string_of(reader, "state"), "inactive") == 0;
	if (step < 0 || strcmp(string_of(reader, "state"), "active") != 0)
		return;
	notice->event = xasprintf("%lld %lld", (long long)end, (long long)step);
	notice->body = xstrdup("Get another one in time: tessera self renew, or ask for help");
	if (days == 0)
		notice->summary = xstrdup("A certificate of your card has expired");
	else
		notice->summary = xasprintf("Your certificate expires in %lld day%s",
			(long long)days, days == 1 ? "" : "s");
	notice->is_critical = days <= steps[2];
}

static const struct kind {
	const char *name;
	void (*about)(struct notice *notice, const json_t *reader, int64_t now);
} kinds[] = {
	{"pin", about_pin},
	{"state", about_state},
	{"certificates", about_certificates},
};

/* --- what was said --- */

static char *state_path(void)
{
	const char *state = secure_getenv("XDG_STATE_HOME"), *home = secure_getenv("HOME");

	if (state && state[0] == '/')
		return xasprintf("%s/tessera/notifications", state);
	return home && home[0] == '/' ? xasprintf("%s/.local/state/tessera/notifications", home)
				      : NULL;
}

/* What is not as we wrote it counts as nothing. */
static json_t *read_told(const char *path)
{
	_cleanup_free_ char *text = path ? file_read(path, NULL) : NULL;
	json_t *told = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	bool good = json_is_object(told) && json_object_size(told) <= KEPT_MAXIMUM;
	const char *subject;
	json_t *event;

	json_object_foreach(told, subject, event) good = good && json_is_string(event);
	if (good)
		return told;
	json_decref(told);
	return json_object();
}

static void make_folders(const char *path)
{
	_cleanup_free_ char *folder = xstrdup(path);

	for (char *slash = folder + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(folder, 0700);
		*slash = '/';
	}
}

static bool write_told(const struct agent_notify *notify)
{
	_cleanup_free_ char *beside = xasprintf("%s.new", notify->path);

	make_folders(notify->path);
	unlink(beside);
	int file = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return false;
	bool written = json_dumpfd(notify->told, file, JSON_INDENT(1) | JSON_SORT_KEYS) == 0;
	return close(file) == 0 && written && rename(beside, notify->path) == 0;
}

static void save(struct agent_notify *notify)
{
	if (!notify->has_news || !notify->path)
		return;
	notify->has_news = false;
	bool cannot_write = !write_told(notify);
	if (cannot_write && !notify->cannot_write)
		fprintf(stderr, "tessera: cannot write %s: %m\n", notify->path);
	notify->cannot_write = cannot_write;
}

struct agent_notify *agent_notify_new(void)
{
	struct agent_notify *notify = xnew(struct agent_notify);

	notify->desktop = client_desktop_new();
	notify->path = state_path();
	notify->told = read_told(notify->path);
	return notify;
}

void agent_notify_free(struct agent_notify *notify)
{
	if (!notify)
		return;
	for (size_t i = 0; i < notify->popup_count; i++)
		free(notify->popups[i].subject);
	client_desktop_free(notify->desktop);
	json_decref(notify->told);
	free(notify->path);
	free(notify);
}

/* --- the screen --- */

/* Its place; NULL when there are too many. */
static struct popup *popup_of(struct agent_notify *notify, const char *subject)
{
	for (size_t i = 0; i < notify->popup_count; i++) {
		if (strcmp(notify->popups[i].subject, subject) == 0)
			return &notify->popups[i];
	}
	if (notify->popup_count == CARDS_MAXIMUM)
		return NULL;
	struct popup *popup = &notify->popups[notify->popup_count++];
	*popup = (struct popup){.subject = xstrdup(subject)};
	return popup;
}

static void show(struct agent_notify *notify, const char *subject, const struct notice *notice)
{
	struct client_notification notification = {
		notice->summary, notice->body, notice->is_critical};
	struct popup *popup = popup_of(notify, subject);

	if (!popup || json_object_size(notify->told) >= KEPT_MAXIMUM)
		return;
	if (!client_desktop_show(notify->desktop, &notification, &popup->shown)) {
		notify->is_waiting = true;
		return;
	}
	printf("%s: %s\n", subject, notice->summary);
	json_object_set_new(notify->told, subject, json_string(notice->event));
	notify->has_news = true;
}

/* When it comes again, it is news. */
static void forget(struct agent_notify *notify, const char *subject)
{
	struct popup *popup = popup_of(notify, subject);

	if (popup)
		client_desktop_close(notify->desktop, &popup->shown);
	json_object_del(notify->told, subject);
	notify->has_news = true;
}

static void look_at_card(struct agent_notify *notify, const json_t *reader, int64_t now)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct notice notice _cleanup_(notice_clear) = {0};
		_cleanup_free_ char *subject =
			xasprintf("%s %s", kinds[i].name, string_of(reader, "serial"));
		kinds[i].about(&notice, reader, now);
		const char *told = json_string_value(json_object_get(notify->told, subject));
		if (notice.event && (!told || strcmp(told, notice.event) != 0))
			show(notify, subject, &notice);
		else if (!notice.event && !notice.is_unknown && told)
			forget(notify, subject);
	}
}

bool agent_notify_look(struct agent_notify *notify, const json_t *readers, int64_t now)
{
	json_t *reader;
	size_t index;

	/* Another program of this person's may have said something meanwhile. */
	if (notify->path && !notify->cannot_write) {
		json_decref(notify->told);
		notify->told = read_told(notify->path);
	}
	notify->is_waiting = false;
	json_array_foreach(readers, index, reader)
	{
		/* Cards of ours that can be used; while one is read, nothing is known. */
		if (json_is_integer(json_object_get(reader, "credential")) &&
			string_of(reader, "serial")[0] && !string_of(reader, "problem")[0])
			look_at_card(notify, reader, now);
	}
	save(notify);
	fflush(stdout);
	return !notify->is_waiting;
}
