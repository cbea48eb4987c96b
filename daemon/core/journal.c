/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/journal.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/buffer.h"

#define IDENTIFIER "tesserad"

/* NAME, line feed, length in eight bytes (little-endian), value, line feed. */
static void append_field(struct buffer *datagram, const char *name, const char *value)
{
	uint64_t length = strlen(value);

	buffer_append_string(datagram, name);
	buffer_append_u8(datagram, '\n');
	for (unsigned i = 0; i < 8; i++)
		buffer_append_u8(datagram, (uint8_t)(length >> (8 * i)));
	buffer_append_string(datagram, value);
	buffer_append_u8(datagram, '\n');
}

static bool send_datagram(const char *path, const struct buffer *datagram)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, path, strlen(path));
	int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return false;
	bool sent =
		sendto(descriptor, datagram->data, datagram->length, MSG_NOSIGNAL | MSG_DONTWAIT,
			(struct sockaddr *)&address, sizeof(address)) >= 0;
	close(descriptor);
	return sent;
}

bool journal_send_native(const char *socket_path, int priority, const char *message,
	const struct journal_field *fields, size_t count)
{
	_cleanup_buffer_ struct buffer datagram = BUFFER_INIT;
	const char level[] = {(char)('0' + priority), '\0'};

	append_field(&datagram, "MESSAGE", message);
	append_field(&datagram, "PRIORITY", level);
	append_field(&datagram, "SYSLOG_IDENTIFIER", IDENTIFIER);
	append_field(&datagram, "SYSLOG_FACILITY", "10"); /* authpriv */
	for (size_t i = 0; i < count; i++) {
		if (fields[i].value && fields[i].value[0])
			append_field(&datagram, fields[i].name, fields[i].value);
	}
	return !datagram.failed && send_datagram(socket_path, &datagram);
}

/* name="value", control characters and quotes made harmless. */
static void append_quoted(struct buffer *line, const char *name, const char *value)
{
	buffer_append_u8(line, ' ');
	buffer_append_string(line, name);
	buffer_append_string(line, "=\"");
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buffer_append_u8(line, '\\');
		buffer_append_u8(line, iscntrl((unsigned char)*value) ? '?' : (uint8_t)*value);
	}
	buffer_append_u8(line, '"');
}

static void send_syslog(const char *message, const struct journal_field *fields, size_t count)
{
	_cleanup_buffer_ struct buffer line = BUFFER_INIT;

	for (size_t i = 0; i < count; i++) {
		if (fields[i].value && fields[i].value[0])
			append_quoted(&line, fields[i].name, fields[i].value);
	}
	buffer_append_u8(&line, 0);
	if (!line.failed)
		syslog(LOG_MAKEPRI(LOG_AUTHPRIV, LOG_NOTICE), IDENTIFIER ": %s%s", message,
			(const char *)line.data);
}

void journal_send(
	const char *socket, const char *message, const struct journal_field *fields, size_t count)
{
	if (!journal_send_native(socket, LOG_NOTICE, message, fields, count))
		send_syslog(message, fields, count);
}
