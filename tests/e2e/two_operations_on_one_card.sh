#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a second operation on a card that is busy is refused at once, and the first one is not disturbed
# sandbox: --vcard-option --latency-apdu-us=20000
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

issue() {
    tessera card issue --reader 1 --template employee --holder "name=Ada Lovelace" \
        --holder email=ada@example.org --holder upn=ada@example.org
}
is_running() {
    [ "$(tessera --json job list | jq '[.[] | select(.state == "running")] | length')" = 1 ]
}

wait_for 20 sh -c 'tessera reader show 1 | grep -q unregistered'
issue >first.log 2>&1 &
first=$!
wait_for 10 is_running
expect_failure 7 issue
[[ $output == *"another operation"* ]] || fail "the second operation was not told why: $output"
wait "$first" || fail "the first operation was disturbed: $(cat first.log)"

# A cancelled operation leaves a card that can be issued again.
card=$(tessera --json reader show 1 | jq -r .serial)
tessera card retire "$card" --reason again --yes >/dev/null
issue >cancelled.log 2>&1 &
second=$!
wait_for 10 is_running
job=$(tessera --json job list | jq '[.[] | select(.state == "running")][0].number')
tessera job cancel "$job"
status=0
wait "$second" || status=$?
[ "$status" = 9 ] || fail "a cancelled operation ended with status $status: $(cat cancelled.log)"
issue >/dev/null
expect_output issued tessera card show "$card"
