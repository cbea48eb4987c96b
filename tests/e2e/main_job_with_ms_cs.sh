#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the main job, as the quickstart shows it, with certificates of Microsoft Certificate Services' stand-in, on behalf of the holder
TESSERA_AUTHORITY=ms-cs exec "$TESSERA_SOURCE/tests/e2e/main_job.sh"
