#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# while the master key is locked holders change PINs, or are told why not, and a change that is due locks nobody out
# sandbox: --cards blank,blank,blank --no-owner
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
echo 271828 >owner-pin
echo 314159 >pin
echo 161803 >new-pin

card_is() {
    [ "$(tessera --json reader show "$1" | jq -r .state)" = "$2" ]
}
as_owner() {
    tessera login --reader 1 --pin-file owner-pin -- "$@" 2>login.log
}
is_locked() {
    [ "$(tessera --json status | jq -r .locked)" = "$1" ]
}
tool() {
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --token-label "$1" "${@:2}"
}
# sign LABEL PIN
sign() {
    echo data >data
    tool "$1" --login --pin "$2" --id 01 --sign --mechanism ECDSA-SHA256 --input-file data \
        --output-file signature
}
change() {
    tessera card change-pin "reader:$1" --pin-file "$2" --new-pin-file "$3"
}
template() {
    jq -n --arg name "$1" --argjson history "$2" '{name: $name, "card-type": "piv",
        keys: [{slot: "authentication", algorithm: "ec-p256", certificate: {authority: "local",
            profile: "smartcard-logon", subject: [["CN", "{name}"]]}}],
        "pin-policy": {history: $history, "maximum-age-days": 30}}' >"$1.json"
}
# All PINs become a month old while the daemon is away.
let_a_month_pass() {
    stop_daemon
    python3 - "$TESSERA_STATE/tessera.db" <<'END'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
    store.execute("UPDATE pin_history SET set_at = set_at - 31 * 86400")
END
    start_daemon
    wait_for 30 card_is 2 active
    wait_for 30 card_is 3 active
}

# Sealed to the owner's card: no PIN in a file.
stop_daemon
sed -i '/^token-pin-file/d' "$TESSERA_CONFIG"
rm -rf "${TESSERA_STATE:?}"/*
start_daemon
wait_for 20 card_is 1 unregistered
wait_for 20 card_is 3 unregistered
tessera init --reader 1 --new-pin-file owner-pin --name 'Grace Hopper' >/dev/null
template remembers 3
template dates 0
as_owner sh -ec 'for name in remembers dates; do tessera template add $name.json; done
    tessera card issue --reader 2 --template remembers --holder name=Ada
    tessera card issue --reader 3 --template dates --holder name=Kim
    tessera card activate reader:2 --new-pin-file pin
    tessera card activate reader:3 --new-pin-file pin' >issued.log || fail "$(cat issued.log login.log)"
restart_daemon
wait_for 30 card_is 2 active
wait_for 30 card_is 3 active
is_locked true || fail "the master key is open after a start"

echo "# a history cannot be looked at: one clear answer, and the PIN stays"
expect_failure 4 change 2 pin new-pin
[[ $output == *"master key is locked"*"tessera login"* ]] || fail "it says: $output"
expect_failure any tool Ada --login --pin 314159 --change-pin --new-pin 161803
[[ $output == *CKR_FUNCTION_FAILED* ]] || fail "C_SetPIN says: $output"
sign Ada 314159 >/dev/null 2>&1 || fail "the PIN is another one"

echo "# an age needs no comparing but with the present PIN"
expect_failure 5 change 3 pin pin
[[ $output == *"present one"* ]] || fail "it says: $output"
change 3 pin new-pin >/dev/null
sign Kim 161803 >/dev/null 2>&1 || fail "the PIN was not changed"
tool Kim --login --pin 161803 --change-pin --new-pin 314159 >/dev/null 2>&1 || fail "C_SetPIN is refused"
sign Kim 314159 >/dev/null 2>&1 || fail "C_SetPIN did not change the PIN"

echo "# a change that is due and cannot be made waits; one that can be made does not"
let_a_month_pass
is_locked true || fail "the master key is open after a start"
output=$(tool Ada --list-slots 2>&1)
[[ $output == *"to be changed"* ]] || fail "the change is not asked for: $output"
sign Ada 314159 >/dev/null 2>&1 || fail "a holder is locked out"
expect_failure any sign Kim 314159
[[ $output == *CKR_PIN_EXPIRED* ]] || fail "an old PIN gives: $output"
change 3 pin new-pin >/dev/null
sign Kim 161803 >/dev/null 2>&1 || fail "no signature after the change"

echo "# once it is open all rules hold again"
as_owner true
is_locked false || fail "the owner's login does not unlock"
expect_failure any sign Ada 314159
[[ $output == *CKR_PIN_EXPIRED* ]] || fail "an old PIN gives: $output"
expect_failure 5 change 2 pin pin
change 2 pin new-pin >/dev/null
sign Ada 161803 >/dev/null 2>&1 || fail "no signature after the change"
expect_failure 5 change 2 new-pin pin
[[ $output == *"one of the last 3"* ]] || fail "it says: $output"
