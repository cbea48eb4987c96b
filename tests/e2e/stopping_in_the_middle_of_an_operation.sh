#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a daemon that is asked to end in the middle of an operation ends well, and the card is usable after its next start
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
printf '271828\n' >pin

state_is_one_of() {
    local state
    state=$(tessera --json reader show 1 2>/dev/null | jq -r 'select(.problem == "" and .serial != "") | .state')
    [ -n "$state" ] && [[ " $* " == *" $state "* ]]
}

issue() {
    tessera card issue --reader 1 --template ec --holder name=Ada --holder email=ada@example.org \
        --holder upn=ada@example.org
}

card_is_held_or_it_is_over() {
    [ "$(card_control 0 held)" = 1 ] || ! kill -0 "$operation" 2>/dev/null
}

daemon_takes_no_calls() {
    ! tessera status >/dev/null 2>&1
}

# stop_at APDU CMD...: SIGTERM while the card holds the answer to that APDU.
stop_at() {
    card_control 0 reset-count >/dev/null
    card_control 0 "hold-at $1" >/dev/null
    "${@:2}" >operation.log 2>&1 &
    operation=$!
    wait_for 30 card_is_held_or_it_is_over
    [ "$(card_control 0 held)" = 1 ] || fail "there is no APDU $1 in $2: $(cat operation.log)"
    kill -TERM "$(part_target tesserad)"
    wait_for 10 daemon_takes_no_calls
    part_is_running tesserad || fail "the daemon did not wait for the card"
    card_control 0 "hold-at 0" >/dev/null
    # Sends the signal again: asked twice, it goes on stopping.
    stop_daemon
    ! wait "$operation" || fail "the command says that all went well"
    [ "$(grep -c '^tessera: ' operation.log)" = 1 ] || fail "not one clear error: $(cat operation.log)"
    start_daemon
}

wait_for 20 state_is_one_of unregistered
for apdu in 3 12 20 30; do
    stop_at "$apdu" issue
    wait_for 20 state_is_one_of unregistered registered issued
    state_is_one_of issued || issue >/dev/null
    tessera card activate --new-pin-file pin >/dev/null
    tessera card retire --yes >/dev/null
done

issue >/dev/null
tessera card activate --new-pin-file pin >/dev/null
stop_at 2 tessera card unblock --new-pin-file pin
wait_for 20 state_is_one_of active
tessera card unblock --new-pin-file pin >/dev/null
stop_at 4 tessera card retire --yes
wait_for 20 state_is_one_of active retired
! state_is_one_of active || tessera card retire --yes >/dev/null
expect_output whole tessera audit verify
