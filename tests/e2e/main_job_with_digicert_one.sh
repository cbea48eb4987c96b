#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the main job, as the quickstart shows it, with certificates of DigiCert ONE's stand-in
TESSERA_AUTHORITY=digicert-one exec "$TESSERA_SOURCE/tests/e2e/main_job.sh"
