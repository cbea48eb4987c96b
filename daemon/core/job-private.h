/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the register of jobs share. */
#ifndef TESSERA_CORE_JOB_PRIVATE_H
#define TESSERA_CORE_JOB_PRIVATE_H

#include <pthread.h>

#include "core/job.h"

struct job_question;

struct job {
	struct jobs *jobs;
	pthread_t thread;
	job_function function;
	void *context;
	void (*free_context)(void *);
	bool cancel_asked;	  /* guarded by jobs->lock, as all below */
	struct job_status status; /* guest, operation and subject never change */
	struct secret secret;	  /* waits for its owner, until the time below */
	char *owner;
	int64_t secret_until;	       /* CLOCK_MONOTONIC, seconds */
	struct job_question *question; /* that its thread waits for an answer to, or NULL */
	struct job *next;	       /* ids ascend */
};

struct jobs {
	job_changed changed;
	void *changed_context;
	pthread_mutex_t
		lock; /* guards the list and what the jobs show; never held over a call out */
	pthread_cond_t ended;	 /* a job ended, or its thread is about to be gone */
	pthread_cond_t answered; /* a question was, or will not be; CLOCK_MONOTONIC */
	uint64_t last_question;
	struct job *first;
	unsigned last_id;
	unsigned running; /* jobs in JOB_RUNNING */
	unsigned threads; /* threads that may still touch this struct */
};

/* Under the lock; NULL when there is no such job. */
struct job *jobs_find(struct jobs *jobs, unsigned id);
/* ERROR_NOT_FOUND. Returns false. */
bool jobs_not_found(unsigned id, struct error *error);
/* Tells that a job has changed; without the lock. */
void jobs_announce(struct jobs *jobs, unsigned id, bool finished);

#endif
