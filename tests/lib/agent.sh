# SPDX-License-Identifier: LGPL-2.1-or-later
# A server far away, in one sandbox: tesserad sees no pcscd, and tessera agent offers it the readers that
# are here. For tests with --no-owner and at least two cards; the last one becomes the owner's.
#
#     start_far_server [LINE...]   restarts tesserad without readers, with these lines of configuration
#     start_agent [NAME [OPTION...]]   as part NAME (agent): --yes unless options are given
#     make_far_owner           the owner's card is issued and logs in, both by the agent, and is taken out; sets
#                              TESSERA_SESSION
#     remote_reader N          the number that tesserad gives to the reader of card N
#     start_between            agents started from now on go through tests/lib/between, whose folder is $between
#     between ORDER...         what it is to do; between_has_done says that it has done it
#     agent_says TEXT          whether the agent (AGENT_PART) has said it since it was started
# shellcheck shell=bash

start_far_server() {
    local line
    part_has_ended tesserad || stop_daemon
    for line in "$@"; do
        daemon_option "$line"
    done
    PCSCLITE_CSOCK_NAME=/run/nowhere start_daemon
}

agent_says() {
    grep -qF -- "$1" "$TESSERA_SANDBOX/log/${AGENT_PART:-agent}"
}

# The agent's words of before are not its words of now.
start_agent() {
    local part=${1:-agent}
    shift || true
    [ $# -gt 0 ] || set -- --yes
    rm -f "$TESSERA_SANDBOX/log/$part"
    start_part "$part" env -u TESSERA_SESSION "${AGENT_AROUND[@]}" "$TESSERA_BUILD/tessera" agent "$@"
}
AGENT_AROUND=()

start_between() {
    between=$TESSERA_SANDBOX/tmp/between
    mkdir -p "$between"
    start_part between "$TESSERA_SOURCE/tests/lib/between" "$between/socket" "$between"
    wait_until 10 test -S "$between/socket"
    AGENT_AROUND=(env "TESSERA_SOCKET=$between/socket")
}
between() {
    echo "$*" >"$between/order"
}
between_has_done() {
    [ ! -e "$between/order" ]
}

# Of the first agent that offers it.
remote_reader() {
    tessera_plain --json reader list |
        jq -r --arg name ": $(card_file READER "$1")" \
            '[.[] | select(.name | endswith($name))][0].number // empty'
}

remote_card_is_read() {
    tessera_plain --json reader show "$(remote_reader "$1")" | jq -e '.state != ""'
}

make_far_owner() {
    local last=$((VCARD_CARDS - 1)) reader pin=$TESSERA_SANDBOX/kept/owner-pin
    wait_for 20 remote_card_is_read "$last"
    reader=$(remote_reader "$last")
    (umask 077 && echo 271828 >"$pin")
    tessera_plain init --reader "$reader" --new-pin-file "$pin" --name Owner \
        >"$TESSERA_SANDBOX/log/init" 2>&1 || fail "no owner: $(cat "$TESSERA_SANDBOX/log/init")"
    log_owner_in "$reader" "$pin" || fail "the owner cannot log in"
    export TESSERA_SESSION=$TESSERA_SANDBOX/part/session
    card_remove "$last"
}
