/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/patience.h"

#include <time.h>

/* Without a wish of the service: doubled each time up to this. */
#define WAIT_SECONDS_MAX 8

void patience_sleep(int64_t seconds)
{
	struct timespec left = {.tv_sec = seconds};

	while (nanosleep(&left, &left) != 0)
		;
}

bool patience_wait(struct patience *patience, int64_t retry_after, struct error *error)
{
	int64_t pause = retry_after >= 0 ? retry_after : patience->wait;

	if (pause > patience->left || patience->left == 0)
		return retry_after > patience->left
			       ? error_prefix(error, "it asks to wait %lld seconds",
					 (long long)retry_after)
			       : false;
	if (pause == 0)
		pause = 1;
	patience_sleep(pause);
	patience->left -= pause;
	patience->wait = patience->wait < WAIT_SECONDS_MAX ? patience->wait * 2 : patience->wait;
	return true;
}
