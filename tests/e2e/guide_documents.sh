#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the guide's pages on templates, connections, types of cards and master keys work as they are printed
# sandbox: --cards blank,nist --vcard-option 0:--serial=12345678
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
card=yubikey-12345678
echo 271828 >pin
guide_types 'y/N=y' 'PIN=271828'

is() {
    local got
    got=$(tessera --json card show "$card" | jq -r ".$1")
    [ "$got" = "$2" ] || fail "$1 is '$got' instead of '$2'"
}
is_seen() {
    tessera --json reader show "$1" | jq -e ".serial == \"$2\" and .problem == \"\"" >/dev/null
}
wait_for 20 is_seen 1 "$card"

# --- types.md: the second card is of no type of its own
guide_run types.md "Credential types"
guide_run types.md "What a card is"
guide_run types.md "Is a card of this type good for us?" >shown
grep -q "No errors" shown || fail "the card was not tried: $(cat shown)"
! grep -q "rror:" shown || fail "an error: $(cat shown)"
[ "$(tessera --json reader info 1 | jq -r '.secrets.pin.factory_value, .secrets.puk.factory_value')" = $'true\ntrue' ] ||
    fail "the card is not as new"
guide_lines types.md "An example" "{" >example.json
tessera type add example.json
tessera type remove our-card
guide_run types.md "A card that is of no type" "tessera type detect"
jq '.name = "our-card" | .title = "Our card"' our-card.json >edited.json
mv edited.json our-card.json
guide_run types.md "A card that is of no type" "tessera type add" >shown
grep -q "Our card" shown || fail "the card is of another type: $(cat shown)"
guide_run types.md "A card that is of no type" "tessera type remove"

card_remove 1

# --- connections.md
guide_run connections.md "Connections to certification authorities"
guide_lines connections.md "The local CA" "{" >example-ca.json
guide_run connections.md "The local CA" "tessera connection add"
jq '.["crl-days"] = 3' example-ca.json >edited.json
mv edited.json example-ca.json
guide_run connections.md "The local CA" "tessera connection update"
guide_run connections.md "The local CA" "tessera connection remove"
guide_run connections.md "The revocation list" "mkdir"
openssl crl -in pki/local.crl.pem -noout -issuer >/dev/null
rm pki/local.crl
guide_run connections.md "The revocation list" "tessera connection crl"
openssl crl -inform DER -in pki/local.crl -noout -issuer >/dev/null

# --- templates.md: the editor changes the comment
export EDITOR=$PWD/editor
unset VISUAL
# shellcheck disable=SC2016
printf '#!/bin/sh\nsed -i "s/\\"comment\\": \\"[^\\"]*\\"/\\"comment\\": \\"ours\\"/" "$1"\n' >editor
chmod +x editor
guide_run templates.md "Templates" "tessera template list"
guide_run templates.md "Templates" "tessera template clone"
guide_run templates.md "Templates" "tessera template show staff"
[ "$(jq -r .comment staff.json)" = ours ] || fail "the editor's change is lost: $(cat staff.json)"
guide_run templates.md "Templates" "tessera template check"
guide_lines templates.md "An example" "{" >contractor.json
guide_run templates.md "An example" "tessera"
is state issued
tessera card retire "$card" --yes >/dev/null
tessera card issue --reader 1 --template employee --holder name=Ada --holder email=ada@example.org \
    --holder upn=ada@example.org >/dev/null
tessera --json template show employee | jq '.comment = "newer"' >employee.json
tessera template update employee.json >/dev/null
guide_run templates.md "Bring cards to a newer version" "tessera template versions" >shown
grep -q "$card" shown || fail "the plan does not name the card: $(cat shown)"
guide_run templates.md "Bring cards to a newer version" "tessera card update"
is template_version 2
guide_run templates.md "Bring cards to a newer version" "tessera template drift"
guide_run templates.md "Move templates to another installation"
guide_run templates.md "Lock a template"

# --- keys.md
guide_run keys.md "Change the master key, or the token that holds it"
guide_run keys.md "A new version" "tessera key rotate"
guide_run keys.md "A new version" "tessera key report" >shown
grep -q "$card" shown || fail "the report does not name the card: $(cat shown)"
guide_run keys.md "A new version" "tessera card rotate"
is key_version 2
(umask 077 && echo 87654321 >"$TESSERA_SANDBOX/etc/tessera/hsm-pin")
chown tessera "$TESSERA_SANDBOX/etc/tessera/hsm-pin" 2>/dev/null || true
export SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf
softhsm2-util --init-token --free --label tessera-hsm --so-pin 12345678 --pin 87654321 >/dev/null
# The vendor's module is SoftHSM's here.
daemon_option "$(guide_lines keys.md "An HSM" | sed 's|/usr/lib/vendor/hsm.so|/usr/lib/softhsm/libsofthsm2.so|')"
daemon_option "token-uri-old = embedded"
restart_daemon
guide_run keys.md "A new version" "tessera key rotate"
tessera --json key list | jq -e '.[] | select(.version == 3) | .token | startswith("tessera-hsm ")' >/dev/null ||
    fail "version 3 is in another token: $(tessera key list)"
guide_run keys.md "A new version" "tessera card rotate"
is key_version 3
expect_output whole tessera audit verify
