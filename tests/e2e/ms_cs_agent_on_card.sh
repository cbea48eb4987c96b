#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# an operator's own card signs as the enrollment agent what tesserad asks Microsoft CS for, and nothing is left where it does not
# sandbox: --cards blank,blank
# time limit: 400
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/ms-cs.sh
source "$TESSERA_SOURCE/tests/lib/ms-cs.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
sid=S-1-5-21-1004336348-1177238915-682003330-1104
echo 271828 >pin
echo 314159 >wrong
start_ms_cs 8443
ms_cs_commands
ms_cs_document 8443 | ms_cs_revocation >lab.json
tessera connection add lab.json >/dev/null
tessera connection secret lab password ms-cs-password >/dev/null
tessera connection profiles lab --update >/dev/null

echo "# the document"
jq '.["enrollment-agent"] = {requester: "LAB\\{account}", key: "operator"}' lab.json >wrong.json
expect_failure 2 tessera connection update wrong.json
[[ $output == */enrollment-agent/key*operator-card* ]] || fail "$output"
guide_lines microsoft-cs.md "An agent whose key is on the operator's card" '{"enrollment-agent"' | jq -s '.[0] + .[1]' lab.json - >lab-card.json
guide_run microsoft-cs.md "An agent whose key is on the operator's card" "tessera connection update" >/dev/null
make_ms_cs_agent
expect_failure 2 tessera connection secret lab enrollment-agent ms-cs-agent.pem
[[ $output == *"needs no secret"* ]] || fail "$output"

cat >template.json <<'JSON'
{"name": "lab", "card-type": "piv", "keys": [
  {"slot": "authentication", "algorithm": "rsa-2048", "certificate": {"authority": "lab",
   "profile": "TesseraLogon", "subject": [["CN", "{name}"]]}},
  {"slot": "signature", "algorithm": "ec-p256", "certificate": {"authority": "lab",
   "profile": "TesseraSignature", "subject": [["CN", "{name}"]]}}]}
JSON
tessera template add template.json >/dev/null
wait_for 10 tessera reader show 2

as_bob() { # a login of his for one command
    env -u TESSERA_SESSION tessera login --reader 1 --pin-file pin -- "$@"
}
issue=(tessera card issue --reader 2 --template lab --holder name=Ada --holder account=ada
    --holder upn=ada@lab.test --holder "sid=$sid" --operator-pin-file pin)
target_state() {
    tessera --json reader show 2 | jq -r .state
}
# nothing_happened STATE: the card in the second reader has that state still, and the CA was not asked
nothing_happened() {
    [ "$(target_state)" = "$1" ] || fail "the card is $(target_state)"
    [ "$(ms_cs_counted issue-posts)" = "$posts" ] || fail "the CA was asked"
    [ "$(tessera --json task list | jq length)" = 0 ] || fail "$(tessera task list)"
}
one_error() { # one_error STATUS TEXT COMMAND...
    expect_failure "$1" "${@:3}"
    [ "$(grep -c '^tessera: ' <<<"$output")" = 1 ] || fail "not one clear error: $output"
    [[ $output == *"$2"* ]] || fail "'$2' is not in: $output"
}

echo "# an operator without such a certificate"
posts=$(ms_cs_counted issue-posts)
one_error any "no operator who is logged in has a valid certificate with the purpose Certificate Request Agent" "${issue[@]}"
nothing_happened unregistered

echo "# one with it: each request is signed by that operator's card, and says for whom"
guide_lines microsoft-cs.md "An agent whose key is on the operator's card" "{$" >agent-operator.json
guide_types "New PIN=271828"
guide_run microsoft-cs.md "An agent whose key is on the operator's card" "tessera template add" >/dev/null
bob=$(tessera --json card show reader:1 | jq -r .serial)
as_bob "${issue[@]}" >said 2>&1 || fail "$(cat said)"
[ "$(grep -c "signed with the card $bob: a request on behalf of LAB.ada" said)" = 2 ] || fail "$(cat said)"
[ "$(ms_cs_counted on-behalf)" = 2 ] || fail "it was not asked for on behalf"
[ "$(ms_cs '{"certificates": true}' | jq -r '.[-1].requester')" = 'LAB\ada' ] || fail "it is for somebody else"
[ "$(tessera --json card show reader:2 | jq -r '[.certificates[].status] | join(" ")')" = "valid valid" ] ||
    fail "$(tessera card show reader:2)"
tessera --json audit list --operation give-signature | jq -e '[.[] | select(.outcome == "ok")] | length == 3 and
    (last.detail | test("on behalf of LAB.ada"))' >/dev/null || fail "$(tessera audit list)"

echo "# the guide's way, and what is asked on the terminal: the PIN of the card that signs, once"
tessera card retire reader:2 --yes >/dev/null
guide_lines microsoft-cs.md "On behalf of the holder" "{$" | tessera template add - >/dev/null
guide_lines microsoft-cs.md "An agent whose key is on the operator's card" "tessera login" | sed 1d >second-line
"$TESSERA_SOURCE/tests/lib/typist" "PIN of the operator's card $bob, which signs as the enrollment agent=271828" -- \
    env -u TESSERA_SESSION tessera login --reader 1 --pin-file pin -- bash second-line >said 2>&1 || fail "$(cat said)"
grep -q 'on behalf of LAB.ada' said || fail "$(cat said)"
tessera card retire reader:2 --yes >/dev/null
"$TESSERA_SOURCE/tests/lib/typist" "PIN of the operator's card $bob, which signs as the enrollment agent=271828" -- \
    env -u TESSERA_SESSION tessera login --reader 1 --pin-file pin -- \
    "${issue[@]:0:${#issue[@]}-2}" >said 2>&1 || fail "$(cat said)"

echo "# reissue, update, renewal and replacement"
tessera card activate reader:2 --new-pin-file pin
as_bob tessera card renew reader:2 --pin-file pin --operator-pin-file pin >said 2>&1 || fail "$(cat said)"
[ "$(grep -c 'on behalf of LAB.ada' said)" = 2 ] || fail "$(cat said)"
as_bob tessera card renew reader:2 --slot authentication --pin-file pin --operator-pin-file pin >said 2>&1 || fail "$(cat said)"
[ "$(grep -c 'on behalf of LAB.ada' said)" = 1 ] || fail "$(cat said)"
as_bob tessera card reissue reader:2 --operator-pin-file pin >said 2>&1 || fail "$(cat said)"
jq 'del(.keys[1])' template.json >one-key.json
tessera template update one-key.json >/dev/null
as_bob tessera card update reader:2 --reissue --operator-pin-file pin >said 2>&1 || fail "$(cat said)"
ada=$(tessera --json card show reader:2 | jq -r .serial)
tessera card report reader:2 --as lost --yes >/dev/null
one_error any "reader 2 holds the card" as_bob tessera card replace "$ada" --reader 2 --operator-pin-file pin
tessera card retire "$ada" --yes >/dev/null

echo "# nobody signs: a wrong PIN, a card that is not there, no PIN at all"
posts=$(ms_cs_counted issue-posts)
commands=$(apdu_count 1)
issue[-1]=wrong
one_error 5 "the operator's own card $bob" as_bob "${issue[@]}"
issue[-1]=nowhere
one_error 2 "nowhere" as_bob "${issue[@]}"
issue[-1]=pin
cat >pulled <<END
set -e
source "\$TESSERA_SOURCE/tests/lib/sandbox.sh"
card_remove 0
"\$@"
END
one_error any "the operator's own card $bob, which signs as the enrollment agent, is in no reader" \
    as_bob bash pulled "${issue[@]}"
card_insert 0
wait_for 20 tessera card show reader:1 >/dev/null
nothing_happened retired
[ "$(apdu_count 1)" = "$commands" ] || fail "the card was sent commands before the agent's card was there"
tessera --json audit list --operation issue | jq -e '[.[-3:][] | .outcome] | all(. == "Cancelled")' >/dev/null ||
    fail "$(tessera audit list)"
tessera --json audit list --operation refuse-signature | jq -e 'length == 3' >/dev/null || fail "$(tessera audit list)"

echo "# by busctl: the request is read, signed with any program, and given"
cat >by-busctl <<'END'
set -euo pipefail
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
bus=(busctl --no-pager "--address=unix:path=$TESSERA_SESSION")
begin() { # the path of a job that issues the card
    "${bus[@]}" call org.tessera1 /org/tessera1 org.tessera1.Manager Issue 'osa{ss}a{sv}' /org/tessera1/reader/2 lab \
        4 name Ada account ada upn ada@lab.test sid S-1-5-21-1004336348-1177238915-682003330-1104 0 | cut -d'"' -f2
}
job() {
    "${bus[@]}" call org.tessera1 "$job" org.tessera1.Job "$@"
}
wants() {
    [ "$("${bus[@]}" get-property org.tessera1 "$job" org.tessera1.Job WantsSignature)" = "b true" ]
}
ended() {
    [ "$("${bus[@]}" get-property org.tessera1 "$job" org.tessera1.Job State)" != 's "running"' ]
}
bytes() { # bytes N: the N-th array of bytes of what is in the file answer
    python3 -c 'import json, sys; sys.stdout.buffer.write(bytes(json.load(open("answer"))["data"][int(sys.argv[1])]))' "$1"
}
request() { # writes content and certificate, prints how it is to be signed
    busctl --no-pager --json=short "--address=unix:path=$TESSERA_SESSION" call org.tessera1 "$job" org.tessera1.Job \
        GetSignatureRequest >answer
    bytes 0 >content
    bytes 2 >certificate
    python3 -c 'import json; print(json.load(open("answer"))["data"][1])'
}
sign() { # signs with the key of the certificate, by PKCS#11
    rm -f signature
    typist=$TESSERA_SOURCE/tests/lib/typist
    foreign "$typist" -o =271828 =271828 -- pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --slot-index 0 --login --id 02 \
        --sign --mechanism "$1" --input-file content --output-file signature >/dev/null 2>&1 || true
    [ -s signature ] || fail "the card did not sign"
}
# shellcheck disable=SC2046
give() {
    job GiveSignature ay "$(stat -c %s "$1")" $(od -An -v -tu1 "$1")
}
END
cat >whole <<'END'
source by-busctl
job=$(begin)
wait_for 30 wants
mechanism=$(request)
[ "$mechanism" = SHA256-RSA-PKCS ] || fail "$mechanism"
grep -qa '^tessera-enrollment-agent-proof-1 ' content || fail "it begins with another request"
cp content proof
echo "not it" >other
expect_failure any give other
[[ $output == *"is not that of the key on the card"* ]] || fail "$output"
wants || fail "the job waits no longer"
expect_failure any busctl --no-pager "--address=unix:path=$TESSERA_SOCKET" call org.tessera1 "$job" org.tessera1.Job \
    GetSignatureRequest
[[ $output == *"only who started job"* ]] || fail "$output"
expect_failure any busctl --no-pager "--address=unix:path=$TESSERA_SOCKET" call org.tessera1 "$job" org.tessera1.Job \
    RefuseSignature s no
sign "$mechanism"
cp signature first
give signature
attributes() {
    request >/dev/null 2>&1 && ! cmp -s content proof
}
wait_for 60 attributes
openssl asn1parse -inform DER -in content | grep -q 'OBJECT.*1.3.6.1.4.1.311.13.2.1' || fail "no requester is signed"
expect_failure any give first
source "$TESSERA_SOURCE/tests/lib/guide.sh"
rm signature
guide_types "=271828"
guide_run microsoft-cs.md "Signing by other programs" >words
grep -q 'a request for a certificate on behalf of LAB.ada' words || fail "$(cat words)"
wait_for 60 ended
"${bus[@]}" get-property org.tessera1 "$job" org.tessera1.Job State
END
as_bob bash whole >said || fail "$(cat said)"
grep -q '"succeeded"' said || fail "$(cat said; tessera job list)"
tessera card retire reader:2 --yes >/dev/null

echo "# it is cancelled, refused, and who began it goes away"
posts=$(ms_cs_counted issue-posts)
cat >cancelled <<'END'
source by-busctl
job=$(begin)
wait_for 30 wants
job Cancel
wait_for 10 ended
"${bus[@]}" get-property org.tessera1 "$job" org.tessera1.Job ErrorMessage
job=$(begin)
wait_for 30 wants
job RefuseSignature s "not by me"
wait_for 10 ended
"${bus[@]}" get-property org.tessera1 "$job" org.tessera1.Job ErrorMessage
expect_failure any job GetSignatureRequest
[[ $output == *"wants no signature now"* ]] || fail "$output"
job=$(begin)
wait_for 30 wants
END
as_bob bash cancelled >said || fail "$(cat said)"
grep -q 'the job was cancelled' said || fail "$(cat said)"
grep -q 'signature: none was given: not by me' said || fail "$(cat said)"
gone() {
    tessera --json job list | jq -e 'last | .state == "cancelled" and (.error_message | test("who started the job has gone"))'
}
wait_for 10 gone >/dev/null
nothing_happened retired

echo "# tesserad is killed while it waits, before and after the card was touched"
cat >killed <<'END'
source by-busctl
job=$(begin)
wait_for 30 wants
[ "$1" = 1 ] || {
    mechanism=$(request)
    cp content proof
    sign "$mechanism"
    give signature
    attributes() {
        request >/dev/null 2>&1 && ! cmp -s content proof
    }
    wait_for 60 attributes
}
kill_daemon
END
for moment in 1 2; do
    env -u TESSERA_SESSION tessera login --reader 1 --pin-file pin -- bash killed "$moment" >said 2>&1 || true
    start_daemon
    wait_for 30 tessera card show reader:1 >/dev/null
done
nothing_happened registered

echo "# nothing else waits for a job that waits with its card held; a card that is pulled then recovers"
cat >held <<'END'
source by-busctl
job=$(begin)
wait_for 30 wants
mechanism=$(request)
cp content proof
sign "$mechanism"
give signature
attributes() {
    request >/dev/null 2>&1 && ! cmp -s content proof
}
wait_for 60 attributes
timeout 20 tessera status >/dev/null
timeout 20 tessera card list >/dev/null
foreign timeout 20 pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --list-slots >/dev/null 2>&1
sign "$mechanism"
card_control 1 remove >/dev/null # the card is held: others that use PC/SC wait for it
is_empty() {
    timeout 20 tessera --json reader show 2 | jq -e '.card_present == false' >/dev/null
}
wait_for 20 is_empty
give signature
wait_for 60 ended
"${bus[@]}" get-property org.tessera1 "$job" org.tessera1.Job ErrorName
END
as_bob bash held >said || fail "$(cat said)"
grep -q 'NoCard\|CardFailed' said || fail "$(cat said)"
card_insert 1
is_registered() {
    [ "$(target_state)" = registered ]
}
wait_for 20 is_registered
valid_at_ca() { # certificates that count, but for the agents' own
    ms_cs '{"certificates": true}' | jq '[.[] | select(.status == "issued" and .template != "AgentOnCard")] | length'
}
[ "$(valid_at_ca)" = 0 ] || fail "what was issued for a card that was pulled is valid: $(tessera task list)"

echo "# an agent's key on a curve; the same PIN for all rows of a batch"
tessera template export agent-operator | jq '.templates[0] | .keys[1].algorithm = "ec-p384"' >agent-ec.json
tessera template update agent-ec.json >/dev/null
tessera card reissue reader:1 >/dev/null
tessera card activate reader:1 --new-pin-file pin
printf 'name,account,upn,sid\nAda,ada,ada@lab.test,%s\nAda,ada,ada@lab.test,%s\n' "$sid" "$sid" >table.csv
tessera template update template.json >/dev/null
as_bob "$TESSERA_SOURCE/tests/lib/typist" "PIN of the operator's card $bob.*=271828" -- \
    tessera card batch table.csv --reader 2 --template lab >batched 2>&1 &
batch=$!
first_row_is_done() {
    grep -q 'row 1 of 2: .*: issued' batched
}
wait_for 60 first_row_is_done
tessera card retire reader:2 --yes >/dev/null
wait "$batch" || fail "$(cat batched)"
[ "$(grep -c 'on behalf of LAB.ada' batched)" = 4 ] || fail "$(cat batched)"
tessera card retire reader:2 --yes >/dev/null
rm table.result.csv # the same table once more
posts=$(ms_cs_counted issue-posts)
one_error any "is in no reader" as_bob bash pulled tessera card batch table.csv --reader 2 --template lab --operator-pin-file pin
[[ $output != *"another card is needed"* ]] || fail "the wrong card is blamed: $output"
card_insert 0
wait_for 20 tessera card show reader:1 >/dev/null
nothing_happened retired

echo "# the card that is changed cannot sign for itself"
DBUS_SYSTEM_BUS_ADDRESS="unix:path=$TESSERA_SESSION" busctl --no-pager call org.tessera1 /org/tessera1 \
    org.tessera1.Manager Login 'osa{sv}' /org/tessera1/reader/1 271828 0
one_error any "the card $bob cannot sign as the enrollment agent while it is changed itself" \
    tessera card reissue reader:1 --template lab --operator-pin-file pin
restart_daemon
wait_for 30 tessera card show reader:1 >/dev/null

echo "# keys in slots"
printf '4711-0815\n' >slot-pin
tessera slot add hsm --create --keep-pin --pin-file slot-pin >/dev/null
jq '{name: "service", "card-type": "hsm-key", renewal: {days: 30, automatic: true}, keys: [.keys[0] | del(.slot)]}' template.json |
    tessera template add - >/dev/null
enroll=(--template service --holder name=Ada --holder upn=ada@lab.test --holder account=ada --holder "sid=$sid")
as_bob tessera slot enroll hsm one "${enroll[@]}" --operator-pin-file pin >said 2>&1 || fail "$(cat said)"
as_bob tessera slot renew hsm one --operator-pin-file pin >said 2>&1 || fail "$(cat said)"
one_error any "no operator who is logged in has" tessera slot renew hsm one
printf 'label,name,account,upn,sid\n' >keys.csv
for i in 1 2 3; do
    echo "key-$i,Ada,ada,ada@lab.test,$sid"
done >>keys.csv
as_bob tessera slot batch hsm keys.csv --template service --operator-pin-file pin >said 2>&1 || fail "$(cat said)"
grep -q '3 of 3 rows are enrolled' said || fail "$(cat said)"
tessera slot retire hsm key-1 --yes >/dev/null

echo "# a renewal that tesserad would do by itself waits for an operator, and says so"
serial=$(tessera --json card show slot:hsm/one | jq -r '.certificates[] | select(.status == "valid").serial')
sqlite3 "$TESSERA_STATE/tessera.db" ".timeout 10000" \
    "UPDATE certificate SET not_after = strftime('%s', 'now') + 20 * 86400 WHERE serial_hex = '$serial'"
restart_daemon
is_told() {
    tessera --json task list | jq -e '.[0].problem | test("by an operator with tessera slot renew: .*an operator has to log in")' >/dev/null
}
wait_for 60 is_told
[ "$(tessera --json task list | jq '.[0].next')" = 0 ] || fail "$(tessera --json task list)"
as_bob tessera slot renew hsm one --operator-pin-file pin >said 2>&1 || fail "$(cat said)"
[ "$(tessera --json task list | jq length)" = 0 ] || fail "$(tessera task list)"

echo "# an agent whose certificate has expired"
posts=$(ms_cs_counted issue-posts)
sqlite3 "$TESSERA_STATE/tessera.db" ".timeout 10000" "UPDATE certificate SET not_after = strftime('%s', 'now') - 1
    WHERE profile = 'AgentOnCard'"
one_error any "no operator who is logged in has a valid certificate" as_bob "${issue[@]}"
nothing_happened retired

expect_output whole tessera audit verify
stop_ms_cs 8443
