# SPDX-License-Identifier: LGPL-2.1-or-later
# Operations that tests interrupt, and what must be possible after each, wherever it was interrupted.
# For tests with one card; files are left in the present folder. $where says what was done, for failures.
#
#     register, unregister, issue, activate, unblock, change_pin, reissue, rotate, retire
#     finish_OPERATION      wait until the card has recovered, and use it until it is as before
#     state_is_one_of STATE...
# shellcheck shell=bash
# The tests set $where.
# shellcheck disable=SC2154

printf '271828\n' >pin
printf '314159\n' >other-pin
add_template() {
    tessera template add - >/dev/null <<'END'
{"name": "walk", "card-type": "piv",
 "keys": [{"slot": "authentication", "algorithm": "ec-p256",
           "certificate": {"authority": "local", "profile": "smartcard-logon",
                           "subject": [["CN", "{name}"]]}}],
 "pin-policy": {"minimum-length": 6, "maximum-length": 8, "characters": "digits"}}
END
}

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

# --- afterwards
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
