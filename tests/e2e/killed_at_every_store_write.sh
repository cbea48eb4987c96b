#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a daemon that is killed before or after any write of its store leaves a card that recovers and a whole audit trail
# time limit: 900
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
# shellcheck source=tests/lib/interrupted.sh
source "$TESSERA_SOURCE/tests/lib/interrupted.sh"
# shellcheck source=tests/lib/kill-at-write.sh
source "$TESSERA_SOURCE/tests/lib/kill-at-write.sh"

restart_daemon
wait_for 20 state_is_one_of unregistered
add_template
walk register 6
walk issue 10
issue >/dev/null
walk activate 4
activate >/dev/null
walk unblock 4
walk rotate 6
walk retire 6
