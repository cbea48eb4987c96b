# SPDX-License-Identifier: LGPL-2.1-or-later
# An agent that is killed while the card is asked something, at one APDU after the other. After tests/lib/interrupted.sh
# and tests/lib/agent.sh; the card is number 0.
#
#     walk OPERATION FEWEST    runs OPERATION, the agent being killed at APDU 1, 1 + $step, ... until it has no further
#                              one, of which there must be FEWEST; each time an agent is started, and finish_OPERATION run
#
# shellcheck shell=bash
# $step is the test's, $where for it.
# shellcheck disable=SC2034,SC2154

is_held_or_over() {
    [ "$(card_control 0 held)" = 1 ] || ! kill -0 "$operation" 2>/dev/null
}
# At APDU $1 of the operation $2. The card does what it was asked last; nobody hears of it.
agent_killed() {
    # What is counted is the operation's own, and not the first contact's.
    wait_for 20 remote_card_is_read 0
    card_control 0 reset-count >/dev/null
    card_control 0 "hold-at $1" >/dev/null
    "$2" >operation.log 2>&1 &
    operation=$!
    wait_for 30 is_held_or_over
    reached=false
    [ "$(card_control 0 held)" != 1 ] || reached=true
    if $reached; then
        stop_part agent KILL
        # It ends by itself, and not after half a minute.
        wait_for 5 operation_is_over
    fi
    card_control 0 "hold-at 0" >/dev/null
    # The last commands only look at what was done; the first may be the end of a program's login of before.
    wait "$operation" || ! $reached || grep -qE 'removed|no card in a reader|is in no reader' operation.log ||
        fail "$2 failed for another reason: $(cat operation.log)"
    ! $reached || start_agent
}
operation_is_over() {
    ! kill -0 "$operation" 2>/dev/null
}
# Only a real transaction keeps programs here away, and it has ended with the agent.
pin_is_blocked() {
    yubico-piv-tool -r "$VCARD_READER_0" -a status 2>/dev/null | grep -q '^PIN tries left:[[:space:]]*0$'
}

walk() {
    local apdu=1
    while true; do
        where="$1, agent killed at APDU $apdu"
        agent_killed "$apdu" "$1"
        "finish_$1"
        $reached || break
        apdu=$((apdu + step))
    done
    [ "$apdu" -gt "$2" ] || fail "$1 took fewer APDUs than it can: $apdu"
    echo "$1: recovered wherever the agent was killed, up to APDU $apdu"
}
