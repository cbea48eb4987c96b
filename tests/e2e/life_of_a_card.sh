#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cards are registered, unregistered, reported, replaced, and expire
# time limit: 240
# sandbox: --cards blank,blank,old
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"

cd "$TESSERA_SANDBOX/tmp"
printf '271828\n' >pin
first=yubikey-10000001
second=yubikey-10000002

show() {
    tessera --json card show "$1" | jq -r "$2"
}
is() {
    local got
    got=$(show "$1" "$2")
    [ "$got" = "$3" ] || fail "$2 of $1 is '$got', not '$3'"
}
refused() {
    local wanted=$1
    shift
    if "$@" >refusal 2>&1; then
        fail "$* was not refused"
    fi
    grep -q "$wanted" refusal || fail "$* says: $(cat refusal)"
}
is_seen() {
    tessera --json reader show "$1" | jq -e ".serial == \"$2\" and .problem == \"\"" >/dev/null
}
pin_tries_of() {
    yubico-piv-tool -r "$(reader_name "$1")" -a status | sed -n 's/^PIN tries left:[[:space:]]*//p'
}
reader_name() {
    local variable=VCARD_READER_$1
    echo "${!variable}"
}
sign() {
    echo data >data
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --token-label "$1" --login --pin 271828 \
        --id 01 --sign --mechanism ECDSA-SHA256 --input-file data --output-file signature
}
issue() {
    tessera card issue --reader "$1" --template ec --holder "name=$2" --holder "upn=$2@example.org" \
        --holder "email=$2@example.org" "${@:3}"
}
crl_number() {
    tessera connection crl local --der -o list.crl
    openssl crl -inform DER -in list.crl -noout -crlnumber | sed 's/.*=0x//; s/.*=//'
}
revocations() {
    tessera connection crl local --der -o list.crl
    openssl crl -inform DER -in list.crl -noout -text | grep -c "$1" || true
}
wait_for 20 is_seen 1 "$first"
wait_for 20 is_seen 2 "$second"

echo "# register and unregister"
tessera card register --reader 1 | grep -q registered
is "$first" .state registered
is "$first" .key_version 1
is "$first" .template ""
[ "$(pin_tries_of 0)" = 0 ] || fail "the PIN of a registered card is not blocked"
refused "where \"register\" is not allowed" tessera card register --reader 1
refused "allowed: issue, retire, unregister" tessera card revoke "$first" --yes
refused "no terminal" tessera card unregister "$first"
tessera card unregister "$first" --yes >/dev/null
is "$first" .state unregistered
is "$first" .key_version 0
[ "$(pin_tries_of 0)" = 3 ] || fail "the PIN of an unregistered card is not the factory's"
refused "allowed: register, issue" tessera card unregister "$first" --yes
tessera card register --reader 1 >/dev/null
issue 1 Ada >/dev/null
tessera card activate "$first" --new-pin-file pin >/dev/null
sign Ada >/dev/null 2>&1 || fail "a card that was registered first does not sign"

echo "# a loss suspends, and the contact is recorded"
before=$((16#$(crl_number)))
card_remove 0
tessera card report "$first" --as lost >/dev/null
[ $((16#$(crl_number))) = $((before + 1)) ] || fail "four certificates took more than one revocation list"
is "$first" .state inactive
is "$first" .reason lost
is "$first" '[.certificates[].status] | unique | join(" ")' on-hold
[ "$(revocations 'Certificate Hold')" = 4 ] || fail "the list does not say that they are on hold"
card_insert 0
wait_for 20 is_seen 1 "$first"
tessera --json audit list --operation reported-card-seen |
    jq -e ".[0].card == \"$first\" and (.[0].detail | contains(\"lost\"))" >/dev/null
! sign Ada >/dev/null 2>&1 || fail "a lost card signs"
[ "$(pin_tries_of 0)" = 3 ] || fail "a lost card's PIN was touched"
tessera card resume "$first" >/dev/null
sign Ada >/dev/null 2>&1 || fail "a card that was found does not sign"

echo "# a card that was lost before its activation is issued again, not active"
issue 2 Grace >/dev/null
tessera card report "$second" --as lost >/dev/null
is "$second" .state inactive
tessera card report "$second" --as lost >/dev/null
is "$second" .pin_expires_at 0
tessera card resume "$second" >/dev/null
is "$second" .state issued
is "$second" '[.certificates[].status] | unique | join(" ")' valid
[ "$(pin_tries_of 1)" = 0 ] || fail "a card that was found has a PIN"
! sign Grace >/dev/null 2>&1 || fail "a card that was found signs before its activation"
tessera card activate "$second" --new-pin-file pin >/dev/null
sign Grace >/dev/null 2>&1 || fail "a card that was found and activated does not sign"
tessera card suspend "$second" >/dev/null
tessera card resume "$second" >/dev/null
is "$second" .state active
tessera card retire "$second" --yes >/dev/null

echo "# a replacement: same holder, the old one is revoked for what it was reported as"
tessera card report "$first" --as lost >/dev/null
card_remove 0
refused "there is no reader" tessera card replace "$first" --reader 9
refused "in the future\|passed already" tessera card replace "$first" --reader 2 --expires 2001-01-01
is "$first" .state inactive
tessera card replace "$first" --reader 2 >/dev/null
is "$first" .state revoked
is "$first" .reason lost
is "$first" '[.certificates[].status] | unique | join(" ")' revoked
[ "$(revocations 'Key Compromise')" = 4 ] || fail "the lost card was not revoked as keyCompromise"
is "$second" .state issued
is "$second" .holder.email Ada@example.org
is "$second" .replaces "$(show "$first" .number)"
is "$first" .replaced_by "$(show "$second" .number)"
tessera card activate "$second" --new-pin-file pin >/dev/null
sign Ada >/dev/null 2>&1 || fail "the replacement does not sign"
tessera --json audit list --operation replace | jq -e ".[0].card == \"$first\"" >/dev/null

echo "# theft: the PIN is blocked at the next contact, or at once"
card_insert 0
wait_for 20 is_seen 1 "$first"
tessera card retire "$first" --yes >/dev/null
issue 1 Grace >/dev/null
is "$first" .replaced_by null
tessera card activate "$first" --new-pin-file pin >/dev/null
card_remove 0
refused "lost, stolen, damaged or compromised" tessera card report "$first" --as eaten --yes
refused "needs --as" tessera card report "$first"
tessera card report "$first" --as stolen --yes >/dev/null
is "$first" .state revoked
is "$first" .reason stolen
card_insert 0
wait_for 20 is_seen 1 "$first"
[ "$(pin_tries_of 0)" = 0 ] || fail "the PIN of a stolen card is not blocked at its contact"
! sign Grace >/dev/null 2>&1 || fail "a stolen card signs"
refused "allowed: reissue, replace, retire" tessera card report "$first" --as lost
tessera card report "$second" --as compromised --yes >/dev/null
[ "$(pin_tries_of 1)" = 0 ] || fail "the PIN of a compromised card in a reader is not blocked"
tessera card retire "$second" --yes >/dev/null
tessera card unregister "$second" --yes >/dev/null
is "$second" .holder '{}'

echo "# the report holds over a restart, also when the daemon is killed"
issue 2 Alan >/dev/null
tessera card activate "$second" --new-pin-file pin >/dev/null
card_remove 1
tessera card report "$second" --as stolen --yes >/dev/null
kill_daemon
card_insert 1
start_daemon
wait_for 20 is_seen 2 "$second"
[ "$(pin_tries_of 1)" = 0 ] || fail "the PIN is not blocked after a restart"
tessera card retire "$second" --yes >/dev/null

echo "# a card that is damaged"
issue 2 Edsger >/dev/null
tessera card report "$second" --as damaged --yes >/dev/null
is "$second" .reason damaged
[ "$(revocations 'Cessation Of Operation')" -ge 4 ] || fail "a damaged card was revoked for another reason"
tessera card retire "$second" --yes >/dev/null

echo "# a temporary card"
refused "passed already" issue 2 Edsger --expires 2001-01-01
issue 2 Edsger --expires "@$(($(date +%s) + 8))" >/dev/null
end_date=$(show "$second" .expires_at)
is "$second" "[.certificates[] | select(.status == \"valid\") | .not_after] | unique | join(\" \")" "$end_date"
tessera card activate "$second" --new-pin-file pin >/dev/null
sign Edsger >/dev/null 2>&1 || fail "a temporary card does not sign"
is_expired() {
    [ "$(date +%s)" -ge "$end_date" ] && [ "$(show "$second" .state)" = expired ]
}
wait_for 20 is_expired
! sign Edsger >/dev/null 2>&1 || fail "an expired card signs"
tessera --json reader show 2 | jq -e '.state == "expired"' >/dev/null
refused "the card is expired" tessera card unblock "$second" --new-pin-file pin
is_recorded() {
    tessera --json audit list --operation expire | jq -e "length == 1 and .[0].card == \"$second\"" >/dev/null
}
wait_for 60 is_recorded
is "$second" '[.certificates[].status] | unique | join(" ")' revoked
[ "$(tessera --json card list --state expired | jq length)" = 1 ] || fail "it is not listed as expired"
tessera card retire "$second" --yes >/dev/null

echo "# operators: the roles go along; the own card and the last owner's are kept"
owner=$(tessera --json card list | jq -r '.[0].number')
refused "own card\|your own\|own" tessera card report "$owner" --as lost
tessera card issue --reader 2 --template operator --roles system-administrator --holder name=Op >/dev/null
refused "end date" tessera card issue --reader 3 --template operator --roles normal --holder name=Op \
    --expires 2036-01-31
tessera card activate "$second" --new-pin-file pin >/dev/null
for verb in "report $owner --as lost" "report $owner --as stolen --yes" "suspend $owner" \
    "revoke $owner --yes" "retire $owner --yes"; do
    # shellcheck disable=SC2086
    refused "last system owner" env -u TESSERA_SESSION tessera login --reader 2 --pin-file pin -- tessera card $verb
done
third=$(tessera --json reader show 3 | jq -r .serial)
tessera card replace "$second" --reader 3 >/dev/null
third=$(tessera --json reader show 3 | jq -r .serial)
tessera --json operator list >operators
jq -e "[.[] | select(.card == \"$(show "$third" .number)\") | .roles] == [\"system-administrator\"]" \
    operators >/dev/null || fail "the roles did not go to the new card: $(cat operators)"
jq -e "[.[] | select(.card == \"$(show "$second" .number)\")] == []" operators >/dev/null ||
    fail "the old card is an operator's still"
output=$(tessera audit verify)
[[ $output == *whole* ]] || fail "the audit trail is broken: $output"
