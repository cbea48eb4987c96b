#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# what a template says of issuing, unblocking, retiring and its holders holds; what has no effect is refused
#
# The cards: two YubiKeys 5 and one 4.
# sandbox: --cards blank,old,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

three_cards_are_read() {
    [ "$(tessera --json reader list | jq '[.[] | select(.state == "unregistered")] | length')" = 3 ]
}
wait_for 10 three_cards_are_read
reader_of() {
    tessera --json reader list | jq -r ".[] | select(.serial == \"$1\") | .number"
}
one=yubikey-10000001 other=yubikey-10000003
r1=$(reader_of $one) r3=$(reader_of $other)
# An older YubiKey does not tell its number.
r2=$(tessera --json reader list | jq -r '.[] | select(.card_present and .serial == "") | .number')

# with FILTER: the template below, with a change
with() {
    jq "$1" <<'END_OF_TEMPLATE'
{"name": "card", "card-type": "piv",
 "keys": [{"slot": "authentication", "algorithm": "ec-p256",
           "certificate": {"authority": "local", "profile": "smartcard-logon"}}]}
END_OF_TEMPLATE
}
add() {
    with "$1" | tessera template add - >/dev/null
}
# refused FILTER PATH WORDS
refused() {
    with "$1" >wrong.json
    expect_failure 2 tessera template add wrong.json
    [[ $output == *"$2"*"$3"* ]] || fail "$1 gives: $output"
}
state() {
    tessera --json card show "$1" | jq -r .state
}
issue() {
    tessera card issue --reader "$1" --template "$2" --holder name='Ada Byron' "${@:3}"
}
retire() {
    tessera card retire "$1" --reason walk --yes >/dev/null
}
echo 271828 >pin
echo 314159 >new-pin

# --- what has no verb yet is refused, and says so
refused '.issue.by = "user"' /issue/by "must be system-user"
refused '.issue.holder.from = "directory"' /issue/holder/directory "missing"
refused '.unblock.roles = ["auditor"]' /unblock/roles/0 "may not unblock"
refused '.unblock.roles = ["nobody"]' /unblock/roles/0 "no role"
refused '.issue.holder["id-length"] = 5' /issue/holder/id-length "only a simple ID"
refused '.issue.chuid.agency = "123"' /issue/chuid/agency "4 decimal digits"
refused '.issue.chuid.person = "12345678901"' /issue/chuid/person "at most 10"
refused '.lifecycle["on-retire"] = "forget"' /lifecycle/on-retire "revoke, keep"
refused '.lifecycle["block-pin"] = 1' /lifecycle/block-pin "true or false"
refused '.["card-types"] = ["piv"]' /card-type "card-types already"
refused '.["card-types"] = ["piv", "nothing"] | del(.["card-type"])' /card-type "no credential type"

# --- card types and enabled
add '.name = "old" | .["card-types"] = ["yubikey-4", "yubikey-neo"] | del(.["card-type"])'
expect_failure any issue "$r1" old
[[ $output == *"yubikey-4, yubikey-neo"* ]] || fail "it says: $output"
issue "$r2" old >/dev/null
retire "reader:$r2"
add '.name = "off" | .enabled = false'
expect_failure 7 issue "$r1" off
[[ $output == *"not enabled"* ]] || fail "it says: $output"
expect_failure 1 tessera template check off --reader "$r1"
[[ $output == *"/enabled"*false*no* ]] || fail "the check shows: $output"
expect_output yubikey-4 tessera template check old --reader "$r2"
expect_failure any tessera template check old --reader "$r1"
expect_failure 3 tessera card show $one

# --- a simple ID is the holder
add '.name = "simple" | .issue.holder = {"from": "simple-id", "id-length": 7}
     | .issue.chuid.person = "12" | .keys[0].certificate.subject = [["CN", "{id}"]]'
[ "$(tessera --json template list | jq -c '.[] | select(.name == "simple") | .required_fields')" = '[]' ] ||
    fail "a simple ID is asked for"
tessera card issue --reader "$r1" --template simple >/dev/null
id=$(tessera --json card show $one | jq -r .holder.id)
[[ $id =~ ^[A-Z2-9]{7}$ ]] || fail "the simple ID is '$id'"
tessera card certificate $one authentication | openssl x509 -noout -subject | grep -q "CN = $id" ||
    fail "the certificate is not the ID's"
retire $one

# --- auto-initiate: the PIN is given, or made, at issue; wrong ones before the card is touched
add '.name = "ready" | .issue["auto-initiate"] = true
     | .["pin-policy"] = {"holder-data": "refused", "weak-list": "shipped"}'
expect_failure 2 issue "$r1" ready
[[ $output == *"a PIN is needed"* ]] || fail "it says: $output"
expect_failure 2 issue "$r1" old --new-pin-file pin
[[ $output == *"does not activate"* ]] || fail "it says: $output"
seen=$(apdu_count 0)
echo 123456 >weak
expect_failure 5 issue "$r1" ready --new-pin-file weak
[[ $output == *"weak"* ]] || fail "it says: $output"
[ "$(apdu_count 0)" = "$seen" ] || fail "the card was touched for a PIN that is refused"
issue "$r1" ready --new-pin-file pin >/dev/null
[ "$(state $one)" = active ] || fail "the card is not active at issue"
tessera card change-pin $one --pin-file pin --new-pin-file new-pin >/dev/null
retire $one
made=$(issue "$r1" ready --generate-pin --json | jq -r .pin)
[ "$(state $one)" = active ] || fail "the card is not active with a PIN that was made"
echo "$made" >made
tessera card change-pin $one --pin-file made --new-pin-file pin >/dev/null
retire $one
! grep -rqw -e 271828 -e "$made" "$TESSERA_SANDBOX/log" || fail "a PIN is in a log"

# --- the PIN is blocked at issue, or only unknown
add '.name = "open" | .lifecycle["block-pin"] = false'
before=$(apdu_count 0)
issue "$r1" open >/dev/null
open_apdus=$(($(apdu_count 0) - before))
[ "$(state $one)" = issued ] || fail "the card is not issued"
expect_failure any foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin 123456 \
    --list-objects
tessera card activate $one --new-pin-file pin >/dev/null
retire $one
add '.name = "shut"'
before=$(apdu_count 0)
issue "$r1" shut >/dev/null
[ $(($(apdu_count 0) - before)) -gt "$open_apdus" ] || fail "the PIN was blocked either way"

# --- unblocking
tessera card activate $one --new-pin-file pin >/dev/null
retire $one
add '.name = "never" | .unblock.online = false'
issue "$r1" never >/dev/null
tessera card activate $one --new-pin-file pin >/dev/null
expect_failure any tessera card unblock $one --new-pin-file new-pin
[[ $output == *"does not let cards be unblocked online"* ]] || fail "it says: $output"
tessera card offline-unblock $one --yes >/dev/null
tessera template show never | jq '.unblock.offline = false' | tessera template update - >/dev/null
tessera card update $one >/dev/null
expect_failure any tessera card offline-unblock $one --yes
[[ $output == *"does not let cards be unblocked offline"* ]] || fail "it says: $output"
tessera template show never | jq '.unblock = {"roles": ["restricted"]}' | tessera template update - >/dev/null
tessera card update $one >/dev/null
expect_failure 4 tessera card unblock $one --new-pin-file new-pin
[[ $output == *"no role"* ]] || fail "it says: $output"
tessera template show never | jq '.unblock.roles += ["system-owner"]' | tessera template update - >/dev/null
expect_failure 4 tessera card unblock $one --new-pin-file new-pin
tessera card update $one >/dev/null
tessera card unblock $one --new-pin-file new-pin >/dev/null
retire $one

# --- retiring revokes certificates, or keeps them until the card is issued again
statuses() {
    tessera --json card show $one | jq -r "[.certificates[-$1:][].status] | join(\" \")"
}
[ "$(statuses 1)" = revoked ] || fail "retiring did not revoke"
add '.name = "kept" | .lifecycle["on-retire"] = "keep"'
issue "$r1" kept >/dev/null
retire $one
[ "$(statuses 1)" = valid ] || fail "retiring revoked what is to be kept"
issue "$r1" kept >/dev/null
[ "$(statuses 2)" = "revoked valid" ] || fail "a card that is issued again has $(statuses 2)"

# --- holders with their own cards: another card than the template's lets nothing be done
add '.name = "self" | .["self-service"] = {"reissue": true, "unblock": true, "report-lost": true}'
expect_output '"report-lost": true' tessera template show self
issue "$r3" self >/dev/null
tessera card activate $other --new-pin-file pin >/dev/null
as_holder() {
    env -u TESSERA_SESSION tessera login --reader "$r3" --pin-file pin -- "$@"
}
expect_failure 4 as_holder tessera card show $other
expect_failure 4 as_holder tessera card retire $other --yes
path=/org/tessera1/credential/$(tessera --json card show $other | jq .number)
one_path=/org/tessera1/credential/$(tessera --json card show $one | jq .number)
call() {
    # shellcheck disable=SC2016
    as_holder sh -c 'busctl --no-pager --address="unix:path=$TESSERA_SESSION" call org.tessera1 "$@"' sh "$@"
}
expect_failure any call "$one_path" org.tessera1.Credential Reissue 'sa{ss}' '' 0
expect_failure any call "$path" org.tessera1.Credential Reissue 'sa{ss}' '' 1 name Eve
[[ $output == *"reissue"* ]] || fail "it says: $output"
expect_failure any call "$path" org.tessera1.Credential Reissue 'sa{ss}' simple 0
expect_failure any call "$path" org.tessera1.Credential Suspend s no
output=$(call "$path" org.tessera1.Credential Unblock s 161803) || fail "no unblock: $output"
tessera job wait "$(tessera --json job list | jq '[.[] | select(.operation == "unblock")] | last | .number')" \
    >/dev/null
echo 161803 >pin
output=$(call "$path" org.tessera1.Credential Reissue 'sa{ss}' '' 0) || fail "no reissue: $output"
tessera job wait "$(tessera --json job list | jq '[.[] | select(.operation == "reissue")] | last | .number')" \
    >/dev/null
[ "$(state $other)" = issued ] || fail "the holder did not reissue the own card"
[ "$(tessera --json audit list --operation reissue --newest --limit 1 | jq -r '.[0].operator')" = "$other" ] || fail "the trail does not name the holder"

# Another card of the same person is one's own, too; one that only has the same name is not.
tessera card activate $other --new-pin-file pin >/dev/null
tessera card retire $one --reason walk --yes >/dev/null
issue "$r1" self >/dev/null
tessera card activate $one --new-pin-file pin >/dev/null
expect_failure any call "$one_path" org.tessera1.Credential Unblock s 161803
for card in $one $other; do
    tessera card reissue $card --holder name=Ada --holder email=ada@example.org >/dev/null
    tessera card activate $card --new-pin-file pin >/dev/null
done
output=$(call "$one_path" org.tessera1.Credential Unblock s 271828) || fail "no unblock: $output"
expect_failure any call "$one_path" org.tessera1.Credential Suspend s no
expect_failure any call "$one_path" org.tessera1.Credential Report s stolen
output=$(call "$one_path" org.tessera1.Credential Report s lost) || fail "no report: $output"
tessera job wait "$(tessera --json job list | jq 'map(.number) | max')" >/dev/null
[ "$(state $one)" = inactive ] || fail "the card that was lost is $(state $one)"

# --- the number of a CHUID comes from the holder, and must be one
add '.name = "badge" | .issue.chuid = {"credential": "{badge}", "association": "contractor"}'
expect_failure 2 issue "$r2" badge
[[ $output == *badge* ]] || fail "it says: $output"
expect_failure 2 issue "$r2" badge --holder badge=12x
[[ $output == */issue/chuid/credential* ]] || fail "it says: $output"
issue "$r2" badge --holder badge=4711 >/dev/null
tessera --json reader info "$r2" >info.json
grep -q '"credential": "004711"' info.json && grep -q '"association": "5"' info.json || fail "$(cat info.json)"
expect_output whole tessera audit verify
