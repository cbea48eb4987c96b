/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job: one management operation on a thread of its own, with progress,
 * cancellation and a result that outlives the thread.
 */
#ifndef TESSERA_CORE_JOB_H
#define TESSERA_CORE_JOB_H

#include <stdint.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/fields.h"
#include "common/secret.h"

struct job;
struct jobs;

enum job_state { JOB_RUNNING, JOB_SUCCEEDED, JOB_FAILED, JOB_CANCELLED };
const char *job_state_name(enum job_state state);

/* A copy of what a job shows, taken at one moment. Cleared with job_status_clear(). */
struct job_status {
	unsigned id;
	unsigned guest;	 /* the user id of the guest who started it; 0: no guest's */
	char *operation; /* "issue" */
	char *subject;	 /* serial of the card or name of the reader it works on, or NULL */
	enum job_state state;
	unsigned progress;    /* percent */
	char *step;	      /* what it is doing now, a few words */
	bool wants_signature; /* job_ask_signature() */
	struct error error;
	struct fields result;
	int64_t started_at; /* seconds since 1970 */
	int64_t ended_at;   /* or 0 */
};
void job_status_clear(struct job_status *status);
#define _cleanup_job_status_ _cleanup_(job_status_clear)

/* Runs on the job's thread. False with error when the operation failed. */
typedef bool (*job_function)(struct job *job, void *context, struct error *error);
/* Called on the job's thread, without locks held, at each change; finished on the last one. */
typedef void (*job_changed)(void *context, unsigned id, bool finished);

/*
 * The register of jobs; remembers the last 100 that ended, and the last 50 of guests. A guest is a
 * user who is no manager: whatever guests start, managers have room for their jobs.
 */
struct jobs *jobs_new(job_changed changed, void *context);
/* Cancels what runs, waits for the threads, frees. */
void jobs_free(struct jobs *jobs);

/*
 * Starts function(job, context) on a thread; free_context(context) is called
 * when it is done. guest: the user id of a guest who asked for it, 0 for a
 * manager or the daemon itself. operation and subject are copied. Returns the id
 * (from 1); 0 with ERROR_BUSY when 64 jobs run already, or 4 of that guest or 32
 * of all guests (context is freed then, too).
 */
unsigned jobs_start(struct jobs *jobs, unsigned guest, const char *operation, const char *subject,
	job_function function, void *context, void (*free_context)(void *), struct error *error);
/* ERROR_NOT_FOUND */
bool jobs_status(struct jobs *jobs, unsigned id, struct job_status *status, struct error *error);
/* Ids of all known jobs, ascending; heap array. */
unsigned *jobs_list(struct jobs *jobs, size_t *count);
/* Asks a job to stop at its next safe point. ERROR_NOT_FOUND; ERROR_WRONG_STATE when it has ended.
 */
bool jobs_cancel(struct jobs *jobs, unsigned id, struct error *error);
/*
 * Moves a job's secret (job_secret) to the one whose it is, who then has it alone. ERROR_NOT_FOUND
 * when there is no such job, or it has no secret (any more); ERROR_ACCESS_DENIED for another owner.
 */
bool jobs_take_secret(struct jobs *jobs, unsigned id, const char *owner, struct secret *secret,
	struct error *error);
/* --- signatures that somebody outside makes for a job: job-signature.c --- */

struct job_signature_request {
	uint64_t number;	   /* no other request has it; set by the job */
	struct buffer content;	   /* the bytes that are signed */
	struct buffer certificate; /* of the key that is to sign them; DER */
	char *card;		   /* serial of the card that has the key */
	char *purpose;		   /* what it is for, in one line */
};
void job_signature_request_clear(struct job_signature_request *request);
#define _cleanup_signature_request_ _cleanup_(job_signature_request_clear)

/*
 * What a job waits for, for the one whom it asks. ERROR_NOT_FOUND when there is no such job, or it
 * wants no signature; ERROR_ACCESS_DENIED for another one.
 */
bool jobs_signature_request(struct jobs *jobs, unsigned id, const char *owner,
	struct job_signature_request *request, struct error *error);
/* Answers the request of that number, by who has seen that the signature is right. Errors as above;
 * ERROR_WRONG_STATE when the request is over. */
bool jobs_give_signature(struct jobs *jobs, unsigned id, const char *owner, uint64_t number,
	const struct buffer *signature, struct error *error);
/* There will be none, and why: the operation ends with ERROR_CANCELLED that says so. */
bool jobs_refuse_signature(
	struct jobs *jobs, unsigned id, const char *owner, const char *reason, struct error *error);
/* Nobody of that name is there any more to answer. */
void jobs_owner_gone(struct jobs *jobs, const char *owner);

/* Waits until the job has ended. */
void jobs_wait(struct jobs *jobs, unsigned id);

/* For the operation itself; a NULL job is allowed and ignored (operations without a job). */
void job_progress(struct job *job, unsigned percent, const char *format, ...) PRINTF_LIKE(3, 4);
void job_result(struct job *job, const char *name, const char *value);
/*
 * A result that nobody is shown: it waits to be taken once, for five minutes at most. Takes over
 * what *secret holds. owner: whom jobs_take_secret() gives it to; copied.
 */
void job_secret(struct job *job, const char *owner, struct secret *secret);
/* False with ERROR_CANCELLED when cancellation was asked for: `if (!job_continue(...)) return
 * false;` */
bool job_continue(struct job *job, struct error *error);
unsigned job_id(const struct job *job); /* 0 for NULL */

/*
 * Waits until the owner has given a signature, as it was given, which is appended. One request of a
 * job at a time. ERROR_TIMEOUT after so many seconds, ERROR_CANCELLED when it was refused, who
 * could give it has gone, or the job was cancelled.
 */
bool job_ask_signature(struct job *job, const char *owner, struct job_signature_request *request,
	unsigned seconds, struct buffer *signature, struct error *error);

#endif
