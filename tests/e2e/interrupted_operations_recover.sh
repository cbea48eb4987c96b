#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a card that is pulled, a daemon that is killed and a disk that fills up at any APDU of an operation recover at the next contact
#
# The unit test operation/interruptions walks every APDU on cards of three kinds inside one
# process; this one does it with the real daemon, pcscd and command.
# time limit: 900
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
# shellcheck source=tests/lib/interrupted.sh
source "$TESSERA_SOURCE/tests/lib/interrupted.sh"

# --- how an operation is interrupted at APDU $1; $2... is the operation. Each leaves the card in
# the reader and the daemon running, and says in $reached whether there was such an APDU.
pulled_before() {
    card_control 0 reset-count >/dev/null
    card_control 0 "vanish-at $1" >/dev/null
    reached=false
    "${@:2}" >operation.log 2>&1 || reached=true
    card_control 0 "vanish-at 0" >/dev/null
    card_control 0 insert >/dev/null
}
pulled_after() {
    card_control 0 reset-count >/dev/null
    card_control 0 "vanish-after $1" >/dev/null
    reached=true
    "${@:2}" >operation.log 2>&1 || true
    [ "$(apdu_count 0)" -ge "$1" ] || reached=false
    card_control 0 "vanish-after 0" >/dev/null
    card_control 0 insert >/dev/null
}
is_held_or_over() {
    [ "$(card_control 0 held)" = 1 ] || ! kill -0 "$operation" 2>/dev/null
}
held() {
    card_control 0 reset-count >/dev/null
    card_control 0 "hold-at $1" >/dev/null
    "${@:2}" >operation.log 2>&1 &
    operation=$!
    wait_for 30 is_held_or_over
    reached=false
    [ "$(card_control 0 held)" != 1 ] || reached=true
}
killed() {
    held "$@"
    $reached || { card_control 0 "hold-at 0" >/dev/null; wait "$operation"; return 0; }
    kill_daemon
    card_control 0 "hold-at 0" >/dev/null
    wait "$operation" 2>/dev/null || true
    start_daemon
}
filled_up() {
    held "$@"
    dd if=/dev/zero of="$TESSERA_STATE/filler" bs=64k 2>/dev/null || true
    dd if=/dev/zero of="$TESSERA_STATE/filler2" bs=512 2>/dev/null || true
    card_control 0 "hold-at 0" >/dev/null
    wait "$operation" || true
    rm "$TESSERA_STATE/filler" "$TESSERA_STATE/filler2"
}

# walk HOW OPERATION FEWEST: at APDU 1, 2, 3, ... until the operation has no further one; under the sanitizers, which
# take their time, at every other one
step=1
[ -z "${TESSERA_PRELOAD:-}" ] || step=2
walk() {
    local apdu=1
    while true; do
        where="$2, $1 APDU $apdu"
        "$1" "$apdu" "$2"
        "finish_$2"
        $reached || break
        apdu=$((apdu + step))
    done
    [ "$apdu" -gt "$3" ] || fail "$2 took fewer APDUs than it can: $apdu"
    echo "$2: recovered wherever $1, up to APDU $apdu"
}

# The state folder on a small file system, so that it can be filled.
wait_for 20 state_is_one_of unregistered
stop_daemon
mkdir small
mount -t tmpfs -o size=24m tmpfs small
cp -a "$TESSERA_STATE/." small/
mount --bind small "$TESSERA_STATE"
chmod 700 "$TESSERA_STATE"
start_daemon
wait_for 20 state_is_one_of unregistered
add_template

ways="pulled_before pulled_after killed filled_up"
for how in $ways; do
    walk "$how" register 5
done
register >/dev/null
for how in $ways; do
    walk "$how" unregister 4
done
unregister >/dev/null
for how in $ways; do
    walk "$how" issue 12
done
issue >/dev/null
for how in $ways; do
    walk "$how" activate 1
done
activate >/dev/null
for how in $ways; do
    walk "$how" unblock 1
    walk "$how" change_pin 1
done
for how in $ways; do
    walk "$how" rotate 3
done
# Past its first steps a reissue is an issue.
walk pulled_before reissue 12
walk killed reissue 12
for how in $ways; do
    walk "$how" retire 4
done
output=$(tessera audit verify)
[[ $output == *whole* ]] || fail "the audit trail is broken: $output"
stop_daemon
umount "$TESSERA_STATE"
start_daemon
