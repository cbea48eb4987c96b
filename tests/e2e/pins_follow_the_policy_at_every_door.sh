#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# every door refuses a PIN that breaks the policy and says why; old ones expire; made ones are given once
#
# The cards: a YubiKey 5, a plain NIST card whose numbers of tries cannot be set, and another YubiKey 5.
# sandbox: --cards blank,nist,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

cat >strict.json <<'END_OF_TEMPLATE'
{"name": "strict", "card-type": "piv",
 "keys": [{"slot": "authentication", "algorithm": "ec-p256",
           "certificate": {"authority": "local", "profile": "smartcard-logon",
                           "subject": [["CN", "{name}"]]}},
          {"slot": "card-authentication", "algorithm": "ec-p256",
           "certificate": {"authority": "local", "profile": "card-authentication",
                           "subject": [["serialNumber", "{serial}"]]}}],
 "pin-policy": {"characters": "alphanumeric", "required": {"digits": 2, "lower": 1},
                "maximum-repeats": 2, "maximum-sequence": 3, "weak-list": "shipped",
                "forbidden": ["acme"], "holder-data": "refused", "history": 2,
                "maximum-age-days": 30, "pin-tries": 6, "puk-tries": 4}}
END_OF_TEMPLATE

# activate, unblock, change_pin PIN, and C_SetPIN: each door with a new PIN
activate() {
    echo "$1" >new-pin
    tessera card activate --new-pin-file new-pin
}
unblock() {
    echo "$1" >new-pin
    tessera card unblock --new-pin-file new-pin
}
change_pin() {
    echo "$1" >new-pin
    tessera card change-pin --pin-file pin --new-pin-file new-pin
}
tool() {
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" "$@"
}
set_pin() {
    tool --login --pin "$(cat pin)" --change-pin --new-pin "$1"
}
unblock_with_code() {
    echo "$1" >new-pin
    tessera card unblock --unblock-code-file code --new-pin-file new-pin
}
init_pin() {
    tool --login --login-type so --so-pin "$(cat code)" --init-pin --new-pin "$1"
}
login() {
    tool --login --pin "$1" --list-objects
}
sign() {
    echo data >data
    tool --login --pin "$1" --id 01 --sign --mechanism ECDSA-SHA256 --input-file data \
        --output-file signature
}

# refused DOOR PIN WORDS: the door refuses the PIN with these words
refused() {
    expect_failure any "$1" "$2"
    [[ $output == *"$3"* ]] || fail "$1 says: $output"
}
# Every rule, by its words.
every_rule() {
    refused "$1" ab12 "${2:-characters}"
    refused "$1" ab12mnq73 "${2:-8 characters}"
    refused "$1" 'ab-12345' "${2:-letters A to Z, a to z and digits}"
    refused "$1" abcxyz1 "${2:-at least 2 digits}"
    refused "$1" ABX1729 "${2:-at least 1 small letters}"
    refused "$1" a777129 "${2:-more than 2 times}"
    refused "$1" x2345z "${2:-ascending or descending}"
    refused "$1" 1q2w3e4r "${2:-list of weak PINs}"
    refused "$1" 17emca42 "${2:-word or number that the template forbids}"
    refused "$1" noryb42 "${2:-name or numbers (name)}"
    refused "$1" ab470815 "${2:-name or numbers (number)}"
}

# What a card of this type cannot keep is refused when the template is saved.
sed 's/"history": 2/"minimum-length": 4/' strict.json >short.json
expect_failure any tessera template add short.json
[[ $output == */pin-policy/minimum-length* && $output == *"6 to 8"* ]] || fail "it says: $output"
sed 's/alphanumeric/digits/' strict.json >digits.json
expect_failure any tessera template add digits.json
[[ $output == */pin-policy/required/lower* ]] || fail "it says: $output"
tessera template add strict.json >/dev/null
three_cards_are_read() {
    [ "$(tessera --json reader list | jq '[.[] | select(.state == "unregistered")] | length')" = 3 ]
}
wait_for 20 three_cards_are_read
plain=$(tessera --json reader list | jq -r '.[] | select(.card_present and .serial == "") | .number')

# And what this card cannot, before it is touched.
expect_failure any tessera card issue --reader "$plain" --template strict --holder name=Grace
[[ $output == */pin-policy/pin-tries* ]] || fail "it says: $output"
card_remove 1

tessera card issue --reader 1 --template strict --holder name='Ada Byron' \
    --holder number=4708-15 >/dev/null
every_rule activate
activate kiwi57x >/dev/null
sign kiwi57x >/dev/null 2>&1 || fail "no signature with the first PIN"
echo kiwi57x >pin
every_rule unblock
every_rule change_pin
every_rule set_pin CKR_PIN

# The doors of a holder who is far away; a refused PIN leaves the code good.
tessera card offline-unblock "$(tessera --json card show | jq -r .serial)" --yes >shown
[[ $(cat shown) =~ ([0-9]{4})\ ([0-9]{4})\ ([0-9]{2}) ]] || fail "no unblock code in: $(cat shown)"
echo "${BASH_REMATCH[1]}${BASH_REMATCH[2]}${BASH_REMATCH[3]}" >code
every_rule unblock_with_code
every_rule init_pin CKR_PIN
refused unblock_with_code kiwi57x "one of the last 2"
refused init_pin kiwi57x CKR_PIN_INVALID
init_pin lemon24v >/dev/null 2>&1 || fail "C_InitPIN refused a good PIN"
sign lemon24v >/dev/null 2>&1 || fail "no signature with the PIN of C_InitPIN"
unblock olive13t >/dev/null
unblock kiwi57x >/dev/null

# The number of tries is the template's.
for try in 1 2 3 4 5; do
    expect_failure any login "wrong$try"
    [[ $output == *CKR_PIN_INCORRECT* ]] || fail "at wrong PIN $try: $output"
done
login kiwi57x >/dev/null 2>&1 || fail "five wrong PINs blocked a card of six tries"

# None of the last two, at no door.
refused change_pin kiwi57x "one of the last 2"
refused unblock kiwi57x "one of the last 2"
refused set_pin kiwi57x CKR_PIN_INVALID
change_pin mango68y >/dev/null
echo mango68y >pin
refused change_pin kiwi57x "one of the last 2"
set_pin peach79z >/dev/null 2>&1 || fail "C_SetPIN refused a good PIN"
echo peach79z >pin
change_pin kiwi57x >/dev/null
echo kiwi57x >pin

# A PIN that the card refused is not counted as used.
echo wrong42x >pin
expect_failure any change_pin melon35w
echo kiwi57x >pin
change_pin melon35w >/dev/null
echo melon35w >pin

# The store has no PIN in it, and the same PIN is not the same twice.
if grep -rlaE 'kiwi57x|mango68y|peach79z|melon35w' "$TESSERA_STATE"; then
    fail "there is a PIN in the state folder"
fi

# An old PIN: programs are told and refused, it can be changed, and then all is well.
in_store() {
    python3 - "$TESSERA_STATE/tessera.db" "$1" <<'END_OF_PROGRAM'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
    for row in store.execute(sys.argv[2]):
        print(*row)
END_OF_PROGRAM
}
[ "$(in_store 'SELECT count(DISTINCT tag) = count(*) AND count(*) = 2 FROM pin_history')" = 1 ] ||
    fail "the history is $(in_store 'SELECT id, hex(tag), pending, set_at FROM pin_history')"
tessera --json card show | jq -e '.pin_expires_at > now + 29 * 86400' >/dev/null ||
    fail "the PIN does not expire in 30 days"
stop_daemon
in_store "UPDATE pin_history SET set_at = set_at - 31 * 86400"
start_daemon
wait_for 20 bash -c 'tessera --json reader show 1 | jq -e ".state == \"active\"" >/dev/null'
expect_failure any login melon35w
[[ $output == *CKR_PIN_EXPIRED* ]] || fail "an expired PIN gives: $output"
expect_output "PIN to be changed" tool --list-slots
refused change_pin melon35w "one of the last 2"
set_pin_alone() {
    foreign python3 "$TESSERA_SOURCE/tests/lib/set-pin.py" "$TESSERA_PKCS11_MODULE" "$@"
}
expect_output 0xa1 set_pin_alone melon35w melon35w
expect_output 0x0 set_pin_alone melon35w grape46v
echo grape46v >pin
sign grape46v >/dev/null 2>&1 || fail "no signature after the change"
output=$(tool --list-slots 2>&1)
[[ $output != *"to be changed"* ]] || fail "a fresh PIN is to be changed: $output"

# A PIN that is made: it keeps the rules, works, is printed once and kept nowhere.
made=$(tessera --json card unblock --generate-pin | jq -r .pin)
[[ $made =~ ^[A-Za-z0-9]{6}$ && $made =~ [a-z] && $made =~ [0-9].*[0-9] ]] ||
    fail "the made PIN is '$made'"
sign "$made" >/dev/null 2>&1 || fail "no signature with the PIN that was made"
job=$(tessera --json job list | jq '[.[] | select(.operation == "unblock")] | last | .number')
! tessera --json job show "$job" | grep -q "$made" || fail "the job shows the PIN"
expect_failure any busctl --no-pager call org.tessera1 "/org/tessera1/job/$job" org.tessera1.Job \
    TakePin
[[ $output == *"given it already"* ]] || fail "a second TakePin says: $output"
if grep -rla "$made" "$TESSERA_STATE" "$TESSERA_SANDBOX"/*.log 2>/dev/null; then
    fail "the PIN that was made was kept or logged"
fi
# Only the connection that started the job is given it.
private() {
    DBUS_SYSTEM_BUS_ADDRESS=unix:path=$TESSERA_SOCKET "$@"
}
session() {
    DBUS_SYSTEM_BUS_ADDRESS=unix:path=$TESSERA_SESSION "$@"
}
card=$(session busctl --no-pager call org.tessera1 /org/tessera1 org.tessera1.Manager \
    FindCredential s "$(tessera --json card show | jq -r .serial)" | sed 's/^o "\(.*\)"$/\1/')
path=$(session busctl --no-pager call org.tessera1 "$card" org.tessera1.Credential UnblockGenerated |
    sed 's/^o "\(.*\)"$/\1/')
tessera job wait "${path##*/}" >/dev/null
expect_failure any private busctl --no-pager call org.tessera1 "$path" org.tessera1.Job TakePin
[[ $output == *"only who started"* ]] || fail "a stranger's TakePin says: $output"
expect_failure any tessera card unblock --generate-pin --no-wait
expect_failure any tessera card unblock --generate-pin --new-pin-file pin
# An empty PIN is no wish for one.
path=$(session busctl --no-pager call org.tessera1 "$card" org.tessera1.Credential Unblock s '' |
    sed 's/^o "\(.*\)"$/\1/')
expect_failure any tessera job wait "${path##*/}"
[[ $output == *"PINs of 6 to 8"* ]] || fail "an empty PIN gives: $output"

# The history ends with the holder's time.
tessera card retire --reason walk --yes >/dev/null
[ "$(in_store 'SELECT count(*) FROM pin_history')" = 0 ] || fail "a retired card's history is kept"

# The first PIN, where it is given at issue: refused before the card is touched, or there is a card.
issue() {
    echo "$1" >new-pin
    tessera card issue --reader 1 --template ready --holder name='Ada Byron' --holder number=4708-15 \
        --new-pin-file new-pin
}
replace() {
    echo "$1" >new-pin
    tessera card replace "$old" --reader "$spare" --new-pin-file new-pin
}
jq '.name = "ready" | .issue["auto-initiate"] = true | del(.["pin-policy"]["pin-tries", "puk-tries"])' \
    strict.json | tessera template add - >/dev/null
old=$(tessera --json reader show 1 | jq -r .serial)
spare=$(tessera --json reader list | jq -r '.[] | select(.serial == "yubikey-10000003") | .number')
seen=$(apdu_count 0)
every_rule issue
[ "$(apdu_count 0)" = "$seen" ] || fail "a card was touched for PINs that are refused"
issue kiwi57x >/dev/null
sign kiwi57x >/dev/null 2>&1 || fail "no signature with the PIN that was given at issue"
every_rule replace
[ "$(tessera --json card show | jq -r .state)" = active ] || fail "a refused replacement revokes"
output=$(tessera audit verify)
[[ $output == *whole* ]] || fail "the audit trail is broken: $output"
