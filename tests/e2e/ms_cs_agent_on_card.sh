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
jq '.["enrollment-agent"] = {requester: "LAB\\{account}", key: "operator-card"}' lab.json >agent.json
tessera connection update agent.json >/dev/null
make_ms_cs_agent
expect_failure 2 tessera connection secret lab enrollment-agent ms-cs-agent.pem
[[ $output == *"needs no secret"* ]] || fail "$output"

jq '.name = "agent" | .keys += [{slot: "signature", algorithm: "rsa-2048", certificate:
    {authority: "lab", profile: "AgentOnCard", subject: [["CN", "{name}"]]}}]' \
    "$TESSERA_SOURCE/data/templates/operator.json" | tessera template add - >/dev/null
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
tessera card issue --reader 1 --template agent --roles elevated --holder name=Bob >/dev/null
tessera card activate reader:1 --new-pin-file pin
bob=$(tessera --json card show reader:1 | jq -r .serial)
as_bob "${issue[@]}" >said 2>&1 || fail "$(cat said)"
[ "$(grep -c "signed with the card $bob: a request on behalf of LAB.ada" said)" = 2 ] || fail "$(cat said)"
[ "$(ms_cs_counted on-behalf)" = 2 ] || fail "it was not asked for on behalf"
[ "$(ms_cs '{"certificates": true}' | jq -r '.[-1].requester')" = 'LAB\ada' ] || fail "it is for somebody else"
[ "$(tessera --json card show reader:2 | jq -r '[.certificates[].status] | join(" ")')" = "valid valid" ] ||
    fail "$(tessera card show reader:2)"
tessera --json audit list --operation give-signature | jq -e '[.[] | select(.outcome == "ok")] | length == 3 and
    (last.detail | test("on behalf of LAB.ada"))' >/dev/null || fail "$(tessera audit list)"
