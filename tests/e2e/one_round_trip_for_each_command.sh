#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a card far away costs one round trip for each command that it gets, and next to nothing else, encrypted or not
# sandbox: --no-owner --cards scp11,blank
# bench/remote-issue measures what that takes.
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
# shellcheck source=tests/lib/interrupted.sh
source "$TESSERA_SOURCE/tests/lib/interrupted.sh"
# shellcheck source=tests/lib/agent.sh
source "$TESSERA_SOURCE/tests/lib/agent.sh"
export TESSERA_SSH=$TESSERA_SOURCE/tests/lib/far-link TESSERA_LINK_MS=5 TESSERA_LINK_COUNT=$PWD/trips
# To connect, to offer two readers and to say which cards are in them.
beginning=8
# Of the agent's own, to say on the desk which card is meant; they go nowhere.
own=2

# counted OPERATION...: with an agent of their own
counted() {
    local operation apdus
    start_agent agent --host server.example.org --allow " 00 00"
    wait_for 20 remote_card_is_read 0
    for operation in "$@"; do
        "$operation" >/dev/null
    done
    apdus=$(($(apdu_count 0) - own))
    card_control 0 reset-count >/dev/null
    stop_part agent TERM
    wait_for 10 test -s trips
    [ "$(cat trips)" -le $((apdus + beginning)) ] ||
        fail "$* took $(cat trips) round trips for $apdus commands"
    echo "$*: $apdus commands, $(cat trips) round trips"
    total=$((total + apdus))
    rm trips
}

count_life() {
    total=0
    card_control 0 reset-count >/dev/null
    counted issue
    counted activate unblock
    counted retire
}
# The owner's card needs an agent that offers it, too.
begin() {
    start_agent agent --host server.example.org --yes
    "$@"
    stop_part agent TERM
    wait_for 10 test -s trips
    rm trips
}

start_far_server "remote-ownership = yes"
begin make_far_owner
add_template
count_life
in_clear=$total

log_far_owner_in() {
    card_insert 1
    wait_for 20 remote_card_is_read 1
    log_owner_in "$(remote_reader 1)" "$TESSERA_SANDBOX/kept/owner-pin"
    card_remove 1
}
stop_daemon
start_far_server "remote-ownership = no" "scp11-ca = $TESSERA_SANDBOX/etc/scp11-root.pem"
begin log_far_owner_in
count_life
# Three first contacts look for the key and its certificates, select twice more, and open a channel; the SELECT after
# the card was given its factory state back opens another.
more=$((3 * 5 + 1))
[ "$total" -gt "$in_clear" ] && [ "$total" -le $((in_clear + more)) ] ||
    fail "encrypted, a card got $total commands, and $in_clear in the clear"
