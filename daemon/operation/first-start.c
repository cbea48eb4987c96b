/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/first-start.h"

#include <glob.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "core/text-file.h"
#include "operation/documents.h"
#include "operation/templates.h"

#define DONE_VALUE "shipped-documents"

typedef bool (*save_function)(
	struct services *, const char *, const char *, char **, struct error *);

static bool install_document(
	struct services *services, const char *operation, save_function save, const char *path)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ char *document = text_file_read(path, TEXT_FILE_DOCUMENT_MAX, &error);
	_cleanup_free_ char *name = NULL;

	bool done = document && save(services, NULL, document, &name, &error);
	/* There already: an earlier start was interrupted after it. */
	if (!done && error.code == ERROR_EXISTS)
		return true;
	if (!done)
		log_error(
			"shipped document not installed: %s file=%s", error_message(&error), path);
	audit_write(services->store, &audit_daemon, operation, NULL, 0, done ? NULL : &error,
		done ? name : path, NULL);
	return done;
}

/* Answers how many there are, or -1 when one could not be saved. */
static int install_folder(struct services *services, const char *folder, const char *subfolder,
	const char *operation, save_function save)
{
	_cleanup_free_ char *pattern = xasprintf("%s/%s/*.json", folder, subfolder);
	glob_t files;
	int count = 0;

	if (glob(pattern, 0, NULL, &files) != 0) {
		log_warning("nothing to install at the first start: no file %s", pattern);
		return -1;
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		if (!install_document(services, operation, save, files.gl_pathv[i]))
			count = -1;
		else if (count >= 0)
			count++;
	}
	globfree(&files);
	return count;
}

bool first_start_install(struct services *services, const char *folder, struct error *error)
{
	struct buffer done _cleanup_buffer_ = BUFFER_INIT;

	if (store_value_get(services->store, DONE_VALUE, &done, NULL))
		return true;
	/* Templates name connections: those come first. */
	if (install_folder(services, folder, "connections", "add-connection",
		    connection_document_save) < 0 ||
		install_folder(
			services, folder, "templates", "add-template", template_document_save) < 0)
		return true;
	return store_value_set(services->store, DONE_VALUE, (const uint8_t *)"1", 1, error);
}
