#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# versions of a template are told apart by what they mean, and issued cards follow as far as they can
#
# The cards: two YubiKeys.
# sandbox: --cards blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

change() {
    jq "$1" staff.json >changed.json
    mv changed.json staff.json
    tessera template update staff.json >/dev/null
}
# changes V1 V2: what differs, one line for each
changes() {
    tessera --json template diff staff "$@" | jq -r '.[] | "\(.path) \(.before) \(.after) \(.takes)"'
}
version_of() {
    tessera --json card show "$1" | jq .template_version
}
drift() {
    tessera --json template drift "$@" | jq -r '.[] | "\(.serial) \(.path) \(.difference)"'
}
is_drift() {
    [ "$(drift "${@:2}")" = "$1" ] || fail "the drift is $(drift "${@:2}")"
}
one=yubikey-10000001 two=yubikey-10000002

cat >staff.json <<'END_OF_TEMPLATE'
{"name": "staff", "card-type": "piv",
 "keys": [{"slot": "authentication", "algorithm": "ec-p256",
           "certificate": {"authority": "local", "profile": "smartcard-logon"}}]}
END_OF_TEMPLATE
tessera template add staff.json >/dev/null
for reader in 1 2; do
    tessera card issue --reader $reader --template staff --holder name=Ada >/dev/null
done
echo 271828 >pin
tessera card activate $one --new-pin-file pin >/dev/null
tessera card activate $two --new-pin-file pin >/dev/null
expect_failure 3 tessera template diff staff
[[ $output == *"one version only"* ]] || fail "it says: $output"
expect_output "No card would change" tessera template plan staff
is_drift ''

# What is put another way means the same; a default that is written down, too.
change '.["card-types"] = [.["card-type"]] | del(.["card-type"]) | .keys[0].pin = "default"
        | .keys[0].certificate.subject = [["CN", "{name}"]] | .["pin-policy"] = {"history": 0}'
expect_output "mean the same" tessera template diff staff

# A draft is planned before it is saved: every card, with each difference and what it takes.
jq '.["pin-policy"].history = 3 | .comment = "new"' staff.json >draft.json
tessera --json template plan ./draft.json >plan.json
[ "$(jq -r '[.[].serial] | join(" ")' plan.json)" = "$one $two" ] || fail "$(cat plan.json)"
[ "$(jq -r '.[0].takes' plan.json)" = rule ] || fail "$(cat plan.json)"
[ "$(jq -r '.[0].changes[] | select(.path == "/pin-policy/history") | "\(.before) \(.after)"' plan.json)" = "0 3" ] ||
    fail "$(cat plan.json)"
[ "$(tessera --json template versions staff | jq length)" = 2 ] || fail "the plan was saved"
sed 's/staff/other/' draft.json >other.json
expect_failure 3 tessera template plan ./other.json
jq '.["pin-policy"].history = 99' draft.json >wrong.json
expect_failure 2 tessera template plan ./wrong.json

# A rule needs no card: of the one that is away, too, and it holds from then on.
change '.["pin-policy"].history = 3'
[ "$(changes 2 3)" = "/pin-policy/history 0 3 rule" ] || fail "the changes are $(changes 2 3)"
is_drift "$one / version 1, the newest is 3
$two / version 1, the newest is 3" staff
card_remove 1
expect_output updated tessera card update --template staff
[ "$(version_of $one) $(version_of $two)" = "3 3" ] || fail "the cards were not updated"
is_drift ''
expect_output "All cards have the newest version" tessera card update --template staff
echo 314159 >new-pin
tessera card change-pin $one --pin-file pin --new-pin-file new-pin >/dev/null
expect_failure 5 tessera card change-pin $one --pin-file new-pin --new-pin-file new-pin
[[ $output == *"last 3"* ]] || fail "the history does not hold: $output"
mv new-pin pin

# What is written to cards needs them, and nothing else: the keys stay.
certificate() {
    tessera card certificate "$1" authentication
}
before=$(certificate $one)
change '.issue.chuid = {"agency": "1234", "organisation": "5678", "category": "federal",
                        "person": "42", "expiry-days": 30}'
expect_failure any tessera card update --template staff
[[ $output == *"$two"*failed*"in no reader"* && $output == *"$one"*updated* ]] ||
    fail "one card is away, and: $output"
card_insert 1
tessera card update $two >/dev/null
[ "$(certificate $one)" = "$before" ] || fail "the key was made anew"
tessera --json reader info 1 >info.json
for text in '"agency": "1234"' '"organisation": "5678"' '"person": "0000000042"' '"category": "1"' \
    "\"expires\": \"$(date -u -d '30 days' +%Y%m%d)\""; do
    grep -q "$text" info.json || fail "the CHUID has no $text: $(cat info.json)"
done
[ "$(tessera --json card show $one | jq -r .state)" = active ] || fail "the card is not active"

# New keys need a reissue, which is done only when asked for; the PIN is blocked after it.
change '.keys[0].algorithm = "ec-p384" | .keys += [{"slot": "signature", "algorithm": "ec-p256"}]'
[ "$(changes)" = '/keys/authentication/algorithm "ec-p256" "ec-p384" reissue
/keys/signature  {"algorithm":"ec-p256","pin":"default","touch":"default"} reissue' ] ||
    fail "the changes are $(changes)"
expect_failure any tessera card update $one
[[ $output == */keys/authentication/algorithm*reissue* ]] || fail "it says: $output"
[ "$(version_of $one)" = 4 ] || fail "the refused update changed the version"
tessera card update $one --reissue >/dev/null
[ "$(version_of $one)" = 5 ] || fail "the card was not reissued"
[ "$(tessera --json card show $one | jq -r .state)" = issued ] || fail "the state is not issued"

# Certificates and slots that are not as the template has them.
serial=$(tessera --json card show $one | jq -r '.certificates[-1].serial')
in_store() {
    python3 - "$TESSERA_STATE/tessera.db" "$1" <<'END_OF_PROGRAM'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
    store.execute(sys.argv[2])
END_OF_PROGRAM
}
is_drift "$two / version 4, the newest is 5"
in_store "UPDATE certificate SET status = 'revoked' WHERE serial_hex = '$serial'"
is_drift "$one /keys/authentication the certificate is revoked
$two / version 4, the newest is 5"
in_store "UPDATE certificate SET status = 'valid', not_after = 1 WHERE serial_hex = '$serial'"
[[ $(drift) == *"$one /keys/authentication the certificate has expired"* ]] || fail "$(drift)"
in_store "UPDATE certificate SET not_after = 4000000000, slot = 157 WHERE serial_hex = '$serial'"
[[ $(drift) == *"$one /keys/authentication the certificate is revoked"* &&
    $(drift) == *"$one /keys/key-management there is a certificate that the template does not have"* ]] ||
    fail "$(drift)"
in_store "UPDATE certificate SET slot = 154 WHERE serial_hex = '$serial'"
# What is on the card in the reader counts, too.
(
    certificate $two | openssl x509 -outform DER -out foreign.der
    in_store "UPDATE certificate SET der = x'$(xxd -p foreign.der | tr -d '\n')' WHERE serial_hex = '$serial'"
)
is_drift "$one /keys/authentication the card has another certificate
$two / version 4, the newest is 5"

# A removed template keeps its cards; there is nothing newer to follow.
tessera template remove staff >/dev/null
[[ $(drift) == *"$two / the template was removed"* ]] || fail "$(drift)"
expect_failure 3 tessera card update $two
expect_failure 3 tessera template drift nothing
expect_failure 3 tessera template versions staff
expect_output whole tessera audit verify
