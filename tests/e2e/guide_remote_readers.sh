#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the guide's page on cards far from the server holds: a desk with pcscd and ssh, a server without a reader
# sandbox: --no-owner --cards blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"
# shellcheck source=tests/lib/far.sh
source "$TESSERA_SOURCE/tests/lib/far.sh"
# shellcheck source=tests/lib/agent.sh
source "$TESSERA_SOURCE/tests/lib/agent.sh"
cd "$TESSERA_SANDBOX/tmp"
page=remote-readers.md

# A machine that has pcscd and ssh, but no tesserad and no bus.
desk() {
    # shellcheck disable=SC2016
    env -u TESSERA_SESSION -u TESSERA_SOCKET -u DBUS_SYSTEM_BUS_ADDRESS unshare --mount sh -c '
        for folder in /run/tessera /run/dbus; do mount -t tmpfs none "$folder" || exit 96; done
        exec "$@"' desk "$@"
}
# The page's numbers of readers, as they are here: 1 is the owner's card's, 2 the new card's.
here() {
    sed "s/--reader 1/--reader $(cat owner-reader)/; s/--reader 2/--reader $(cat card-reader)/; s/reader:2/reader:$(cat card-reader)/"
}

if [ "${1:-}" = log-in ]; then
    guide_types "PIN=271828"
    guide_run "$page" "Log in with the card on the desk" "tessera --host ada@server.example.org reader" >shown
    grep -q "ada@.*: $VCARD_READER_0" shown || fail "it shows: $(cat shown)"
    eval "$(guide_lines "$page" "Log in with the card on the desk" "tessera --host ada@server.example.org login" | here |
        sed 's/^tessera/guide_program &/')" >shown 2>&1
    grep -q system-owner shown || fail "it shows: $(cat shown)"
    guide_lines "$page" "Manage cards" | here >manage
    guide_program tessera --host "$far" login --reader "$(cat owner-reader)" -- sh -e manage >shown 2>&1 ||
        fail "it shows: $(cat shown)"
    grep -q "unblocked" shown || fail "it shows: $(cat shown)"
    exit
elif [ "${1:-}" = change-pin ]; then
    guide_types "New PIN=314159" "PIN=271828"
    guide_run "$page" "A holder at the desk" >shown || fail "it shows: $(cat shown)"
    grep -q "PIN was changed" shown || fail "it shows: $(cat shown)"
    exit
fi

need ssh /usr/sbin/sshd
far_machine
export far
setting=$(guide_lines "$page" "At the server" "remote-ownership")
start_far_server "$setting" "remote-readers = everyone"
start_agent
make_far_owner
stop_part agent TERM
card_insert 1

# The agent is asked, and a person says yes.
question=$(guide_lines "$page" "The agent" "Let")
question=${question%% the YubiKey*}
read -r -a command < <(guide_lines "$page" "The agent" "tessera agent")
# shellcheck disable=SC2016
TESSERA_SOCKET='' start_part agent env -u TESSERA_SESSION unshare --mount sh -c '
    mount -t tmpfs none /run/tessera && mount -t tmpfs none /run/dbus && exec "$@"' desk \
    "$TESSERA_SOURCE/tests/lib/typist" "$question the YubiKey 1000000. .*\[y/N\]=y" \
    -- "${command[@]}"
is_there() { # CARD FILE
    tessera_plain --json reader list | jq -e -r --arg name ": $(card_file READER "$1")" \
        '.[] | select((.name | startswith("ada@")) and (.name | endswith($name)) and .serial != "") | .number' >"$2"
}
wait_for 30 is_there 0 card-reader
wait_for 30 is_there 1 owner-reader
desk env TESSERA_SOCKET= "$BASH" "$0" log-in
expect_output yubikey-10000001 tessera card list --exposed
card_remove 1
desk env TESSERA_SOCKET= "$BASH" "$0" change-pin
end_ssh
wait_for 20 agent_says "trying again"
wait_until 10 is_there 0 card-reader || { cat "$TESSERA_SANDBOX/log/agent"; tessera_plain reader list; tail -5 "$TESSERA_SANDBOX/log/tesserad"; exit 1; }
# At a reader of the server the PUK that passed the desk is changed.
stop_part agent TERM
stop_daemon
start_daemon
is_changed() {
    grep -q "changing over card=yubikey-10000001" "$TESSERA_SANDBOX/log/tesserad"
}
wait_for 20 is_changed
# The sandbox ends the agent's ssh with everything else.
