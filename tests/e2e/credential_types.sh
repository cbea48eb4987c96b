#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cards are recognised by types from data files; types are added, detected and removed at run time
# sandbox: --cards blank,old,nist,factory --vcard-option 3:--atr=3b8c01805a4e6974726f6b657920337d
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

# The reader with a card of this type; the order of readers is not stable.
reader_of() {
    tessera --json reader list | jq -r --arg type "$1" '.[] | select(.card_type == $type) | .number'
}

type_is() {
    [ "$(tessera --json reader show "$1" | jq -r .card_type)" = "$2" ]
}

info() {
    tessera --json reader info "$1" | jq -r "$2"
}

has_four_types() {
    [ "$(tessera --json reader list | jq '[.[] | select(.card_type != "")] | length')" = 4 ]
}
wait_for 10 has_four_types

# --- what is shipped
expect_output yubikey-5-7 tessera type list
expect_output '"nitrokey-3"' tessera type show nitrokey-3
[ "$(tessera --json type list | jq length)" = 17 ] || fail "not all shipped types are there"
[ "$(tessera --json type list | jq -r '[.[] | select(.driver_available) | .driver] | unique | join(" ")')" = "hsm-key piv" ] ||
    fail "drivers are said to be there that are not"
expect_failure 3 tessera type show no-such-type

# --- cards are recognised by firmware, ATR and application
yubikey=$(reader_of yubikey-5)
old=$(reader_of yubikey-4)
plain=$(reader_of piv)
nitrokey=$(reader_of nitrokey-3)
for reader in "$yubikey" "$old" "$plain" "$nitrokey"; do
    [ -n "$reader" ] || fail "a card is of the wrong type: $(tessera reader list)"
done
[ "$(info "$old" .firmware)" = 4.3.5 ] || fail "the firmware is missing"
# A Nitrokey tells a serial number that is none, and a firmware version that is none.
[ "$(info "$nitrokey" '.firmware, .serial')" = $'null\nnull' ] || fail "a Nitrokey was believed"

# --- everything legible
[ "$(info "$yubikey" '.atr.historical_text, .atr.check_byte, .atr.protocols[0]')" = \
    $'.s.!.WYubiKey\nright\nT=1' ] || fail "the answer to reset is not taken apart"
[ "$(info "$yubikey" '[.applications[].title] | join("|")')" = \
    "PIV (NIST SP 800-73)|YubiKey management|YubiKey OTP" ] || fail "applications are missing"
[ "$(info "$yubikey" '.secrets.pin.tries_left, .secrets.puk.factory_value, .secrets.management_key.algorithm')" = \
    $'3\ntrue\n3des' ] || fail "the state of the secrets is wrong"
[ "$(info "$yubikey" '.piv.discovery.application')" = a000000308000010000100 ] || fail "no discovery object"
[ "$(info "$yubikey" '.keys | length')" = 0 ] || fail "there are keys on a blank card"
expect_output "Tries left: 3" tessera reader info "$yubikey"

# --- templates for one type
cat >keys.json <<<'{"name": "keys", "card-type": "yubikey-5", "keys": [{"slot": "authentication",
    "algorithm": "ec-p256", "certificate": {"authority": "local", "profile": "smartcard-logon",
    "subject": [["CN", "{name}"]], "san": {"upn": "{upn}"}}}]}'
tessera template add keys.json
sed 's/ec-p256/rsa-4096/; s/"keys", "card/"long", "card/' keys.json >long.json
expect_failure 2 tessera template add long.json
[[ $output == */keys/0/algorithm* ]] || fail "not the place of the algorithm: $output"
sed 's/yubikey-5/idprime-930/; s/"keys", "card/"other", "card/' keys.json >other.json
expect_failure 2 tessera template add other.json
[[ $output == */card-type*"no driver pkcs11"* ]] || fail "not the reason: $output"
sed 's/yubikey-5/yubikey-9/; s/"keys", "card/"other", "card/' keys.json >other.json
expect_failure 2 tessera template add other.json
[[ $output == *yubikey-5-7* ]] || fail "the allowed types are not named: $output"
issue() {
    tessera card issue --reader "$1" --template keys --holder name=Ada --holder upn=ada@example.org
}
expect_failure any issue "$old"
[[ $output == */card-type*yubikey-4* ]] || fail "not the reason: $output"
issue "$yubikey"
[ "$(info "$yubikey" '.keys[0] | .slot, .algorithm, .certificate.subject')" = \
    $'authentication\nec-p256\nCN=Ada' ] || fail "the new key is not shown"
[ "$(info "$yubikey" '.state, .piv.chuid.fasc_n.agency, .piv.ccc.container_version, .secrets.pin.blocked')" = \
    $'issued\n9999\n2.1\ntrue' ] || fail "the issued card is not shown"
[[ $(info "$yubikey" .keys[0].certificate.not_after) == 20*Z ]] || fail "no date of the certificate"

# --- a type for a card that is of none
expect_output "of the type yubikey-4" tessera type detect "$old"
tessera type detect "$plain" --output proposed.json
[ "$(jq -r '.driver, .match.atr[0].value' proposed.json)" = $'piv\n3b8b015465737365726120504956a2' ] ||
    fail "the proposal does not fit: $(cat proposed.json)"
jq '.name = "our-card" | .title = "Our card"' proposed.json >our-card.json
tessera type add our-card.json
wait_for 10 type_is "$plain" our-card
expect_output "Our card" tessera reader list
expect_failure any tessera type add our-card.json
[[ $output == *already* ]] || fail "not the reason: $output"
restart_daemon
wait_for 10 has_four_types
plain=$(reader_of our-card)
[ -n "$plain" ] || fail "the type did not outlive the daemon"

# --- removing it
expect_failure any tessera type remove yubikey-4
[[ $output == *shipped* ]] || fail "not the reason: $output"
tessera template add - <<<'{"name": "ours", "card-type": "our-card", "keys": [{"slot": "signature",
    "algorithm": "ec-p256"}]}'
expect_failure 7 tessera type remove our-card
[[ $output == *'"ours"'* ]] || fail "the template is not named: $output"
tessera template remove ours
tessera type remove our-card
wait_for 10 type_is "$plain" piv
expect_failure 3 tessera type remove our-card

# --- documents that are not valid
while read -r place document; do
    echo "$document" >bad.json
    expect_failure 2 tessera type add bad.json
    [[ $output == *"$place"* && $(grep -c '^tessera: ' <<<"$output") = 1 ]] ||
        fail "not one error about $place: $output"
done <<'END'
/driver {"name": "bad", "title": "B", "manufacturer": "B", "driver": "magic"}
/colour {"name": "bad", "colour": "red"}
/match {"name": "bad", "title": "B", "manufacturer": "B", "driver": "piv", "match": {}}
END
expect_output add-type tessera audit list

# --- rights: others see the cards, not what is on them, and change nothing
as_ada() {
    env -u TESSERA_SESSION setpriv --reuid ada --regid ada --clear-groups "$@"
}
expect_failure 4 as_ada tessera reader info "$plain"
expect_failure 4 as_ada tessera type detect "$plain"
expect_failure 4 as_ada tessera type add our-card.json
expect_failure any as_ada tessera type show piv
