/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vcard/knobs.h"

bool control_open(struct control *control, const char *path, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*control = (struct control){.listener = -1, .client = -1, .path = path};
	if (!path)
		return true;
	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(error, ERROR_INVALID_ARGUMENT, "%s: path too long", path);
	strcpy(address.sun_path, path);
	unlink(path);
	control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (control->listener >= 0 &&
		bind(control->listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		chmod(path, 0600) == 0 && listen(control->listener, 4) == 0)
		return true;
	error_set(error, ERROR_FAILED, "%s: %s", path, strerror(errno));
	control_close(control);
	return false;
}

int control_fd(const struct control *control)
{
	return control->client >= 0 ? control->client : control->listener;
}

static void drop_client(struct control *control)
{
	close(control->client);
	control->client = -1;
	control->length = 0;
}

static void reply(struct control *control, const char *text)
{
	char line[256];
	int length = snprintf(line, sizeof(line), "%s\n", text);
	size_t count = length < (int)sizeof(line) ? (size_t)length : sizeof(line) - 1;

	if (send(control->client, line, count, MSG_NOSIGNAL) != (ssize_t)count)
		drop_client(control);
}

static void reply_result(struct control *control, bool done, const struct error *error)
{
	char line[256];

	snprintf(line, sizeof(line), "error: %s", error_message(error));
	reply(control, done ? "ok" : line);
}

static void run_line(struct control *control, char *line, struct vcard *card,
	const struct control_actions *actions)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	char *value = strchr(line, ' ');
	bool done = true;
	char count[32];

	if (value)
		*value++ = '\0';
	if (strcmp(line, "count") == 0) {
		snprintf(count, sizeof(count), "%llu", (unsigned long long)vcard_count(card));
		reply(control, count);
		return;
	}
	if (strcmp(line, "held") == 0) {
		reply(control, vcard_is_held(card) ? "1" : "0");
		return;
	}
	if (strcmp(line, "reset-count") == 0)
		vcard_reset_count(card);
	else if (strcmp(line, "remove") == 0)
		actions->remove(actions->data);
	else if (strcmp(line, "insert") == 0)
		done = actions->insert(actions->data, &error);
	else
		done = knobs_set(vcard_knobs(card), line, value ? value : "", &error);
	reply_result(control, done, &error);
}

static void run_lines(
	struct control *control, struct vcard *card, const struct control_actions *actions)
{
	char *end;

	while (control->client >= 0 && (end = memchr(control->line, '\n', control->length))) {
		size_t used = (size_t)(end - control->line) + 1;
		*end = '\0';
		if (end > control->line && end[-1] == '\r')
			end[-1] = '\0';
		run_line(control, control->line, card, actions);
		if (control->client < 0)
			return;
		control->length -= used;
		memmove(control->line, control->line + used, control->length);
	}
	if (control->length == sizeof(control->line))
		drop_client(control);
}

void control_serve(
	struct control *control, struct vcard *card, const struct control_actions *actions)
{
	if (control->client < 0) {
		control->client = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);
		return;
	}
	ssize_t count = recv(control->client, control->line + control->length,
		sizeof(control->line) - control->length, 0);
	if (count <= 0) {
		drop_client(control);
		return;
	}
	control->length += (size_t)count;
	run_lines(control, card, actions);
}

void control_close(struct control *control)
{
	if (control->client >= 0)
		drop_client(control);
	if (control->listener >= 0) {
		close(control->listener);
		unlink(control->path);
	}
	control->listener = -1;
}
