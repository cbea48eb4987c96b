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
printf '271828\n' >pin
printf '314159\n' >other-pin
cat >walk.json <<'END'
{"name": "walk", "card-type": "piv",
 "keys": [{"slot": "authentication", "algorithm": "ec-p256",
           "certificate": {"authority": "local", "profile": "smartcard-logon",
                           "subject": [["CN", "{name}"]]}}],
 "pin-policy": {"minimum-length": 6, "maximum-length": 8, "characters": "digits"}}
END

state_is_one_of() {
    local state
    state=$(tessera --json reader show 1 2>/dev/null | jq -r 'select(.problem == "") | .state')
    [ -n "$state" ] && [[ " $* " == *" $state "* ]]
}
register() {
    tessera card register --reader 1
}
unregister() {
    tessera card unregister reader:1 --yes
}
issue() {
    tessera card issue --reader 1 --template walk --holder name=Ada
}
activate() {
    tessera card activate --new-pin-file pin
}
unblock() {
    tessera card unblock --new-pin-file pin
}
change_pin() {
    tessera card change-pin --pin-file pin --new-pin-file other-pin
}
reissue() {
    tessera card reissue
}
# To a new master key each time: management key and PUK both change.
rotate() {
    tessera key rotate --yes && tessera card rotate
}
retire() {
    tessera card retire --reason walk --yes
}
# As a program beside Tessera sees it.
pin_is_blocked() {
    yubico-piv-tool -a status 2>/dev/null | grep -q '^PIN tries left:[[:space:]]*0$'
}
sign() {
    echo data >data
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login \
        --pin 271828 --id 01 --sign --mechanism ECDSA-SHA256 --input-file data \
        --output-file signature
}

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

# --- after each of them
finish_issue() {
    wait_for 20 state_is_one_of unregistered registered issued retired
    state_is_one_of issued || issue >/dev/null || fail "no second issue after $where"
    activate >/dev/null || fail "no activation after $where"
    sign >/dev/null 2>&1 || fail "no signature after $where"
    retire >/dev/null || fail "no retirement after $where"
}
finish_register() {
    wait_for 20 state_is_one_of unregistered registered
    state_is_one_of registered || register >/dev/null || fail "no second registration after $where"
    pin_is_blocked || fail "a registered card with a PIN after $where"
    unregister >/dev/null || fail "the card cannot be given up after $where"
}
finish_unregister() {
    wait_for 20 state_is_one_of registered unregistered
    ! state_is_one_of registered || unregister >/dev/null || fail "no second try after $where"
    register >/dev/null || fail "the card cannot be registered again after $where"
}
finish_activate() {
    wait_for 20 state_is_one_of issued active
    state_is_one_of active || pin_is_blocked || fail "a PIN that nobody may know after $where"
    state_is_one_of active || activate >/dev/null || fail "no second activation after $where"
    sign >/dev/null 2>&1 || fail "no signature after $where"
    retire >/dev/null && issue >/dev/null || fail "the card cannot be used again after $where"
}
finish_unblock() {
    wait_for 20 state_is_one_of active
    unblock >/dev/null || fail "no second unblocking after $where"
    sign >/dev/null 2>&1 || fail "no signature after $where"
}
finish_change_pin() {
    wait_for 20 state_is_one_of active
    unblock >/dev/null || fail "no unblocking after $where"
    sign >/dev/null 2>&1 || fail "no signature after $where"
}
finish_reissue() {
    wait_for 20 state_is_one_of active registered issued
    state_is_one_of active || pin_is_blocked || fail "a PIN that nobody may know after $where"
    ! state_is_one_of registered || issue >/dev/null || fail "no issue after $where"
    state_is_one_of active || activate >/dev/null || fail "no activation after $where"
    sign >/dev/null 2>&1 || fail "no signature after $where"
}
finish_rotate() {
    wait_for 20 state_is_one_of active
    unblock >/dev/null || fail "no unblocking after $where"
    sign >/dev/null 2>&1 || fail "no signature after $where"
}
finish_retire() {
    wait_for 20 state_is_one_of active retired unregistered
    ! state_is_one_of active || retire >/dev/null || fail "no second retirement after $where"
    issue >/dev/null && activate >/dev/null || fail "the card cannot be used again after $where"
}

# walk HOW OPERATION FEWEST: at APDU 1, 2, 3, ... until the operation has no further one
walk() {
    local apdu=1
    while true; do
        where="$2, $1 APDU $apdu"
        "$1" "$apdu" "$2"
        "finish_$2"
        $reached || break
        apdu=$((apdu + 1))
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
tessera template add walk.json >/dev/null

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
