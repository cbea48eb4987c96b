#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a card far away costs one round trip for each command that it gets, and next to nothing else
# sandbox: --no-owner --cards blank,blank
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
    rm trips
}

start_far_server "remote-ownership = yes"
start_agent agent --host server.example.org --yes
make_far_owner
stop_part agent TERM
wait_for 10 test -s trips
rm trips
add_template
card_control 0 reset-count >/dev/null
counted issue
counted activate unblock
counted retire
