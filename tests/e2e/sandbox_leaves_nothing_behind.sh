#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# sandboxes side by side do not meet, end with their command's status, and leave nothing behind
# sandbox: --no-bus --no-pcscd
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"

# The sandboxes under test run inside this one, so that all processes seen here are theirs or ours.
# They cover /run; what is to be seen from inside and outside lies elsewhere.
cd /
work=$(mktemp -d /tmp/tessera-sandboxes.XXXXXX)
trap 'rm -rf "$work"' EXIT

sandbox=("$TESSERA_SOURCE/tests/sandbox" --build "$TESSERA_BUILD")

parts_running() {
    ps -e -o comm= | grep -cE '^(tesserad|pcscd|dbus-daemon|tessera-vcard|sleep)$' || true
}

nothing_runs() {
    [ "$(parts_running)" = 0 ]
}

mounts_before=$(cat /proc/self/mounts)
nothing_is_left() {
    wait_for 10 nothing_runs
    [ "$(cat /proc/self/mounts)" = "$mounts_before" ] || fail "$1: mounts are left"
    [ ! -e /run/tessera/bus ] || fail "$1: a socket is left"
}

# The status is CMD's.
expect_failure 7 "${sandbox[@]}" --no-pcscd sh -c 'exit 7'
nothing_is_left 'status 7'
expect_failure 127 "${sandbox[@]}" --no-pcscd /nonexistent
expect_failure 2 "${sandbox[@]}" --cards bogus true
expect_failure 2 "${sandbox[@]}" --nonsense true
expect_failure 2 "${sandbox[@]}"
# shellcheck disable=SC2016
expect_failure 97 "${sandbox[@]}" --no-pcscd sh -c 'kill -KILL $(cat $TESSERA_SANDBOX/part/tesserad.pid)'
expect_failure 96 "${sandbox[@]}" --daemon-option 'log-level = loud' true
[[ $output == *"log-level must be"* ]] || fail "the daemon's error is not shown: $output"
nothing_is_left 'a failed start'

# start_one: a sandbox in the background that has come to its command; its id in $one.
start_one() {
    rm -f "$work/there"
    "${sandbox[@]}" sh -c "touch $work/there; exec sleep 300" >"$work/log" 2>&1 &
    one=$!
    wait_for 60 test -e "$work/there"
}

# end_one SIGNAL: sends it to the sandbox, which must say so.
end_one() {
    local status=0 number
    number=$(kill -l "$1")
    kill "-$1" "$one"
    wait "$one" 2>/dev/null || status=$?
    [ "$status" = $((128 + number)) ] || fail "SIG$1: status $status"
}

for signal in KILL TERM HUP; do
    start_one
    [ "$(parts_running)" -ge 5 ] || fail "only $(parts_running) parts are seen"
    end_one "$signal"
    nothing_is_left "SIG$signal"
done

# Ctrl-C on a terminal ends the command; the parts do not see it and end in order afterwards.
rm -f "$work/there"
{
    wait_for 60 test -e "$work/there"
    printf '\003'
    wait_for 20 nothing_runs
} | script --quiet --return --command "'$TESSERA_SOURCE/tests/sandbox' --build '$TESSERA_BUILD' \
    sh -c 'touch $work/there; exec sleep 300'" /dev/null >"$work/log" && fail "Ctrl-C gave status 0"
! grep -q tesserad "$work/log" || fail "tesserad met Ctrl-C: $(cat "$work/log")"
nothing_is_left 'Ctrl-C'

# Two side by side: each has a store and readers of its own.
start_one
expect_output "template 'ec' removed" "${sandbox[@]}" --cards none tessera template remove ec
[ "$(cat "$work/log")" = "" ] || fail "the other one says: $(cat "$work/log")"
end_one TERM

# State is kept where it is asked for, and nowhere else.
expect_output removed "${sandbox[@]}" --cards none --state "$work/state" tessera template remove ec
expect_failure 3 "${sandbox[@]}" --cards none --state "$work/state" tessera template show ec
expect_output ec "${sandbox[@]}" --cards none tessera template show ec
nothing_is_left '--state'
