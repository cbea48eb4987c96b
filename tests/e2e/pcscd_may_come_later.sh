#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# tesserad starts without pcscd, says so, waits for it, and survives its restart
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"

card_is_seen() {
    tessera reader list | grep -q yubikey-
}

stop_daemon
stop_pcscd
start_daemon
expect_output "pcscd is not running" tessera status
expect_failure any tessera reader show 1
start_pcscd
wait_for_readers
wait_for 20 card_is_seen

# The same once more, under a running daemon, and not politely.
kill_pcscd
wait_for 20 sh -c 'tessera status | grep -q "pcscd is not running"'
start_pcscd
wait_for_readers
wait_for 20 card_is_seen
