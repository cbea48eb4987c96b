#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a desktop is told once what its person has to do about a card, and it is taken away when it is done
# sandbox: --cards blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"

/usr/bin/python3 -c 'import dbus; from gi.repository import GLib' 2>/dev/null ||
    skip "python3-dbus or python3-gi is not installed"
cd "$TESSERA_SANDBOX/tmp"
export XDG_STATE_HOME=$PWD/state
session=unix:path=$PWD/session-bus
printf '271828\n' >pin
printf '314159\n' >wrong
jq '.name = "short" | .profiles[]."validity-days" = 10 | del(."crl-file", ."certificate-file")' \
    "$TESSERA_SOURCE/data/connections/local.json" >short.json
tessera connection add short.json >/dev/null
tessera template add - >/dev/null <<'END'
{"name": "desk", "card-type": "piv",
 "keys": [{"slot": "authentication", "algorithm": "ec-p256",
           "certificate": {"authority": "short", "profile": "smartcard-logon", "subject": [["CN", "{name}"]]}}],
 "pin-policy": {"minimum-length": 6, "maximum-length": 8, "characters": "digits"}}
END

# What a failure is about.
trap 'status=$?; [ "$status" = 0 ] || cat shown.log notify.log server.log' EXIT

start_notify() {
    "$TESSERA_BUILD/tessera" notify >notify.log 2>&1 &
    notify=$!
}
stop_notify() {
    kill "$notify"
    wait "$notify" || fail "tessera notify ended with status $?: $(cat notify.log)"
}
shown() { # TEXT: how often it was shown
    grep -c "^show .*$1" shown.log || true
}
is_shown() {
    [ "$(shown "$1")" = "$2" ]
}
show_number() { # of the last one with this text
    grep "^show .*$1" shown.log | tail -1 | cut -d' ' -f2
}
is_closed() { # TEXT: the last one with it
    tail -n "+$(grep -n "^show .*$1" shown.log | tail -1 | cut -d: -f1)" shown.log |
        grep -qx "close $(show_number "$1")"
}

echo "# without a desktop it is kept"
tessera card issue --reader 1 --template desk --holder name='Ada Lovelace' >/dev/null
: >shown.log
env -u DBUS_SESSION_BUS_ADDRESS -u XDG_RUNTIME_DIR "$TESSERA_BUILD/tessera" notify >notify.log 2>&1 &
notify=$!
sleep 1
stop_notify
[ ! -e state/tessera/notifications ] || fail "something was shown to nobody: $(cat state/tessera/notifications)"

echo "# what has to be done is shown, and goes with it"
dbus-daemon --session --nofork --nopidfile --address="$session" >bus.log 2>&1 &
bus=$!
export DBUS_SESSION_BUS_ADDRESS=$session
wait_for 10 test -S session-bus
start_notify # before the server
"$TESSERA_SOURCE/tests/lib/notifications" shown.log 2>server.log &
server=$!
wait_for 20 is_shown "Your card has no PIN yet|Set its first PIN" 1
tessera card activate reader:1 --new-pin-file pin >/dev/null
wait_for 10 is_closed "no PIN yet"
wait_for 10 is_shown "Your certificate expires in 10 days" 1

for _ in 1 2 3; do
    expect_failure 5 tessera card change-pin reader:1 --pin-file wrong --new-pin-file pin
done
wait_for 10 is_shown "Your card is blocked" 1
grep -q "^show [0-9]* 0 2 0 Your card is blocked" shown.log || fail "it is not critical: $(cat shown.log)"
tessera card offline-unblock reader:1 --yes >/dev/null
wait_for 10 is_shown "Your card can be unblocked" 1
[ "$(show_number "Your card is blocked")" = "$(show_number "can be unblocked")" ] ||
    fail "one does not take the place of the other: $(cat shown.log)"
tessera card unblock reader:1 --new-pin-file pin >/dev/null
wait_for 10 is_closed "can be unblocked"
tessera card suspend reader:1 --reason "left in a train" >/dev/null
wait_for 10 is_shown "Your card is suspended" 1
tessera card resume reader:1 >/dev/null
wait_for 10 is_closed "Your card is suspended"

echo "# once, across restarts of all"
[ "$(stat -c %a state/tessera/notifications)" = 600 ] || fail "others may read what was shown"
stop_notify
start_notify
restart_daemon
tessera card suspend reader:1 --reason "left in a train" >/dev/null
wait_for 30 is_shown "Your card is suspended" 2
is_shown "Your certificate expires" 1 || fail "it is said twice: $(cat shown.log)"
kill "$server"
wait "$server" || true
"$TESSERA_SOURCE/tests/lib/notifications" shown.log 2>>server.log &
server=$!
wait_for 10 eval '[ "$(grep -c ready shown.log)" = 2 ]'
tessera card resume reader:1 >/dev/null
tessera card suspend reader:1 --reason "left in a train" >/dev/null
wait_for 10 is_shown "Your card is suspended" 3
stop_notify
echo '{"broken' >state/tessera/notifications
tessera card resume reader:1 >/dev/null
start_notify
wait_for 10 is_shown "Your certificate expires" 2
stop_notify

! grep "^refuse" shown.log || fail "a strict server refuses"
! grep -i "ada\|lovelace\|train" shown.log notify.log || fail "a notification names the holder, or why"
kill "$server" "$bus"
