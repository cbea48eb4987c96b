#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the guide's pages from issuing a card to its retirement work as they are printed
# sandbox: --cards blank,blank --vcard-option 0:--serial=12345678
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
card=yubikey-12345678
echo 271828 >pin
asked=('y/N=y' 'PIN=271828')
guide_types "${asked[@]}"

is() {
    local got
    got=$(tessera --json card show "${3:-$card}" | jq -r ".$1")
    [ "$got" = "$2" ] || fail "$1 is '$got' instead of '$2'"
}
is_seen() {
    tessera --json reader show "$1" | jq -e ".serial == \"$2\" and .problem == \"\"" >/dev/null
}
sign() {
    echo data >data
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin 271828 --id 01 --sign \
        --mechanism ECDSA-SHA256 --input-file data --output-file signature >signed 2>&1 ||
        fail "no signature: $(cat signed)"
}
wait_for 20 is_seen 1 "$card"
card_remove 1


# --- issue.md and reissue.md
guide_run issue.md "See what is there"
guide_run issue.md "Issue"
is state issued
guide_run issue.md "Activate" "tessera card activate$"
is state active
guide_run troubleshooting.md "The audit trail"
guide_run issue.md "Which card a command means" "tessera card show"
guide_run issue.md "Which card a command means" "tessera card find" >shown
[ "$(grep -c "$card" shown)" = 2 ] || fail "the card is not found: $(cat shown)"
guide_run issue.md "Change the PIN" "tessera card change-pin"
guide_run issue.md "Change the PIN" "pkcs11-tool"
reissue() {
    guide_run reissue.md "New keys and certificates" "tessera card reissue$"
    is state issued
}
reissue
guide_run issue.md "Activate" "tessera card activate --new-pin-file"
reissue
guide_run issue.md "Activate" "tessera card activate --pin-fd"
reissue
guide_run issue.md "Activate" "tessera card activate --generate-pin"
is state active
guide_run reissue.md "Only what has changed"
guide_run reissue.md "New keys and certificates" "tessera card reissue --template"
tessera card activate "$card" --generate-pin >/dev/null

# --- unblock.md: nobody has read the generated PIN
guide_run unblock.md "At the desk"
sign

guide_run unblock.md "From afar" "tessera card offline-unblock" >shown
code=$(sed -n 's/^unblock code: \([0-9 ]*[0-9]\).*/\1/p' shown | tr -d ' ')
[ ${#code} = 10 ] || fail "no unblock code is shown: $(cat shown)"
# As on a machine without Tessera.
guide_types "PUK=${code:0:8}" 'PIN=271828'
guide_run unblock.md "From afar" "yubico-piv-tool"
guide_types "${asked[@]}"
sign
puk_is_ours() {
    is puk_state ours
}
card_remove 0
card_insert 0
wait_for 20 puk_is_ours
another_code() {
    tessera --json card offline-unblock "$card" --yes | jq -re .unblock_code >code.txt
}
wait_for 30 another_code
(
    unset TESSERA_SESSION
    guide_run unblock.md "From afar" "tessera card unblock --unblock-code-file"
)
sign
start_owner_card
sed -n 's/^unblock code: \([0-9 ]*\).*/\1/p' "$TESSERA_SANDBOX/log/init" >owner-code.txt
[ -s owner-code.txt ] || fail "tessera init shows no code: $(cat "$TESSERA_SANDBOX/log/init")"
guide_run unblock.md "Owners' and operators' cards"
stop_part card-owner TERM
wait_for 20 owner_card_is_gone

# --- suspend-revoke-retire.md
guide_run suspend-revoke-retire.md "Suspend, resume, revoke, retire" >shown
grep -q "$card" shown || fail "the card is not listed: $(cat shown)"
guide_run suspend-revoke-retire.md "Suspend and resume"
is state active
guide_run suspend-revoke-retire.md "Revoke"
is state revoked
guide_run suspend-revoke-retire.md "The revocation list" >shown
grep -q "Key Compromise" shown || fail "the list does not say why: $(cat shown)"
guide_run suspend-revoke-retire.md "Retire"
is state retired
guide_run suspend-revoke-retire.md "Unregister"
is state unregistered

# --- issue.md's script, and lost-and-replaced.md
# shellcheck disable=SC2034
name='Ada Lovelace' email=ada@example.org upn=ada@example.org
guide_run issue.md "Many cards"
# shellcheck disable=SC2154
[ "$serial" = "$card" ] || fail "the script found $serial"
tessera card activate "$card" --new-pin-file pin >/dev/null
card_remove 0
guide_run lost-and-replaced.md "Lost, stolen and damaged cards, and their replacement" >shown
[ "$(grep -c "$card" shown)" = 2 ] || fail "the lost card is not found: $(cat shown)"
guide_run lost-and-replaced.md "Report it" "tessera card report"
is state inactive
card_insert 0
wait_for 20 is_seen 1 "$card"
guide_run lost-and-replaced.md "Report it" "tessera audit list" >shown
grep -q "$card" shown || fail "the lost card was not recorded: $(cat shown)"
card_insert 1
wait_for 20 is_seen 2 yubikey-10000002
guide_run lost-and-replaced.md "Replace it"
is state revoked
is state issued yubikey-10000002
tessera card retire "$card" --yes >/dev/null
guide_run lost-and-replaced.md "Meanwhile: a temporary card"
is state issued
expect_output whole tessera audit verify
