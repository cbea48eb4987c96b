#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# an enrollment agent asks Microsoft CS on behalf of holders, and what it issues is looked at before it is used
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/ms-cs.sh
source "$TESSERA_SOURCE/tests/lib/ms-cs.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
sid=S-1-5-21-1004336348-1177238915-682003330-1104
start_ms_cs 8443
ms_cs_commands
ms_cs_document 8443 | ms_cs_revocation >plain.json
guide_lines microsoft-cs.md "On behalf of the holder" '{"enrollment-agent"' | jq -s '.[0] + .[1]' plain.json - >lab.json
tessera connection add lab.json >/dev/null
tessera connection secret lab password ms-cs-password >/dev/null
tessera connection profiles lab --update >said
grep -q 'TesseraLogon .* yes' said || fail "$(cat said)"
cat >template.json <<'JSON'
{"name": "lab", "card-type": "piv", "keys": [
  {"slot": "authentication", "algorithm": "rsa-2048", "certificate": {"authority": "lab",
   "profile": "TesseraLogon", "subject": [["CN", "{name}"]]}}]}
JSON
tessera template add template.json >/dev/null
wait_for 10 tessera reader show 1
issue() {
    tessera "${options[@]}" card issue --reader 1 --template lab --holder name=Ada --holder upn=ada@lab.test \
        --holder "sid=$sid" --holder "$@"
}
options=()
statuses() {
    tessera --json card show | jq -r '[.certificates[].status] | join(" ")'
}
refused() {
    expect_failure any issue "$1"
    [[ $output == *"$2"* ]] || fail "'$2' is not in: $output"
    on_card && fail "the card has a certificate: $(on_card)"
    true
}
on_card() {
    yubico-piv-tool --action read-certificate --slot 9a 2>/dev/null
}

# --- the agent: there has to be one, and it has to be one
refused account=ada 'tessera connection secret lab enrollment-agent'
make_ms_cs_agent
ms_cs "$(openssl pkey -in ms-cs-agent.key -pubout | jq -Rs '{"no-agent": .}' -c)" | jq -r . >no-agent.crt
cat no-agent.crt ms-cs-agent.key >no-agent.pem
expect_failure 2 tessera connection secret lab enrollment-agent no-agent.pem
[[ $output == *"Certificate Request Agent"* ]] || fail "$output"
expect_failure 2 tessera connection secret lab enrollment-agent no-agent.crt
tessera connection secret lab enrollment-agent ms-cs-agent.pem >/dev/null
[ "$(ms_cs_counted issue-posts)" = 0 ] || fail "the CA was asked without an agent"

# --- on behalf of the holder, with the requester's name signed
issue account=ada >said
grep -q warning said && fail "$(cat said)"
[ "$(ms_cs_counted on-behalf)" = 1 ] || fail "it was not asked for on behalf"
[ "$(ms_cs '{"certificates": true}' | jq -r '.[0].requester')" = 'LAB\ada' ] || fail "it is for somebody else"
[ "$(statuses)" = valid ] || fail "$(tessera card show)"
tessera card certificate authentication --pem -o one.pem
openssl x509 -in one.pem -noout -text | grep -q "$sid" || fail "the certificate has no SID"
tessera card retire --yes >/dev/null

# --- accounts that the CA does not know, and such that are none
refused account=nobody-there "The specified account does not exist"
for account in 'OTHER\grace' grace@lab.test 'ada&x=y' ' ada'; do
    before=$(ms_cs_counted issue-posts)
    refused "account=$account" "names no account in the form"
    [ "$(ms_cs_counted issue-posts)" = "$before" ] || fail "the CA was asked for $account"
done
refused other=ada '"account" is missing'
expect_failure 2 tessera card issue --reader 1 --template lab --holder name=Ada --holder account=ada --holder sid=4711
[[ $output == *'"sid" must be a Windows SID'* ]] || fail "$output"

# --- weak: a warning for the operator, on the terminal, in the result and in the audit trail
ms_cs_knob '{"no-sid": true}'
options=(--json)
issue account=ada >said
jq -e '.result["warning-authentication"] | test("weak mapping")' said >/dev/null || fail "$(cat said)"
tessera card retire --yes >/dev/null
options=()
issue account=ada >said
grep -q 'warning about the certificate of authentication: weak mapping' said || fail "$(cat said)"
[ "$(statuses | tr ' ' '\n' | grep -c valid)" = 1 ] || fail "$(tessera card show)"
tessera --json audit list | jq -e '[.[] | select(.operation == "issue" and .outcome == "ok")] |
    last.detail | test("authentication key: weak mapping")' >/dev/null || fail "$(tessera audit list)"
tessera card retire --yes >/dev/null
ms_cs_no_knobs

# --- another's, or good for something else: not used, and revoked at the CA
for knob in wrong-person no-logon-purpose; do
    revoked=$(ms_cs_has revoked)
    ms_cs_knob "{\"$knob\": 1}"
    case $knob in
        wrong-person) refused account=ada 'user principal name is "grace@lab.test"' ;;
        *) refused account=ada 'lacks the purpose 1.3.6.1.4.1.311.20.2.2' ;;
    esac
    [ "$(ms_cs_has issued) $(ms_cs_has revoked)" = "0 $((revoked + 1))" ] || fail "it is not revoked: $(tessera task list)"
done
sid=S-1-5-21-1004336348-1177238915-682003330-500
refused account=ada 'its SID is "S-1-5-21-1004336348-1177238915-682003330-1104"'
[ "$(ms_cs_has issued)" = 0 ] || fail "the certificate with another SID is not revoked"

# --- the same of one that comes later
sid=S-1-5-21-1004336348-1177238915-682003330-1104
ms_cs_knob '{"pending": 1000, "wrong-person": 1}'
issue account=ada >/dev/null
ms_cs '{"decide": "issue"}' >/dev/null
task=$(tessera --json task list | jq -r '.[0].id')
expect_failure any tessera task run "$task"
[[ $output == *'user principal name is "grace@lab.test"'* ]] || fail "$output"
[ "$(tessera --json card show | jq -r '.certificates[-1].status')" = revoked ] || fail "$(tessera card show)"
task=$(tessera --json task list | jq -r '.[0].id')
[ "$(tessera --json task list | jq -r '.[0] | .kind + " " + .status')" = "tell revoked" ] || fail "$(tessera task list)"
tessera task run "$task" >/dev/null
[ "$(ms_cs_has issued)" = 0 ] || fail "it is not revoked"
card_remove 0
card_insert 0
wait_for 10 tessera reader show 1
on_card && fail "another's certificate is on the card"
tessera card retire --yes >/dev/null
ms_cs_no_knobs
ms_cs_knob '{"pending": 1000, "no-sid": 1}'
issue account=ada >/dev/null
ms_cs '{"decide": "issue"}' >/dev/null
tessera task run "$(tessera --json task list | jq -r '.[0].id')" >/dev/null
tessera --json audit list | jq -e '[.[] | select(.operation == "collect-certificate" and .outcome == "ok")] |
    last.detail | test("weak mapping")' >/dev/null || fail "$(tessera audit list)"
ms_cs_no_knobs
tessera card retire --yes >/dev/null

# --- the guide
cp lab.json lab-agent.json
cp ms-cs-agent.pem agent.pem
guide_run microsoft-cs.md "On behalf of the holder" "tessera connection update" >said
grep -q 'TesseraLogon .* yes' said || fail "$(cat said)"
guide_lines microsoft-cs.md "On behalf of the holder" "{$" >agent-logon.json
guide_run microsoft-cs.md "On behalf of the holder" "tessera template add" >said
grep -q warning said && fail "$(cat said)"
[ "$(ms_cs '{"certificates": true}' | jq -r '.[-1].requester')" = 'LAB\ada' ] || fail "it is for somebody else"
tessera card retire --yes >/dev/null

# --- an agent whose key is in a slot, for a key in a slot
printf '4711-0815\n' >slot-pin
tessera slot add hsm --create --keep-pin --pin-file slot-pin >/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out agent.key 2>/dev/null
SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf softhsm2-util --import agent.key --token hsm --label agent --id 07 \
    --pin 4711-0815 >/dev/null
tessera slot test hsm >/dev/null
ms_cs "$(openssl pkey -in agent.key -pubout | jq -Rs '{agent: .}' -c)" | jq -r . >agent.crt
rm agent.key
tessera --json connection show lab | jq '.["enrollment-agent"].key = "pkcs11:token=hsm;object=agent"' >lab.json
tessera connection update lab.json >/dev/null
expect_failure 2 tessera connection secret lab enrollment-agent ms-cs-agent.pem
tessera connection secret lab enrollment-agent agent.crt >/dev/null
jq '.name = "service" | .["card-type"] = "hsm-key" | del(.keys[0].slot)' template.json |
    tessera template add - >/dev/null
enroll() {
    tessera slot enroll hsm "$1" --template service --holder name=Ada --holder upn=ada@lab.test --holder account=ada \
        --holder "sid=$sid"
}
ms_cs_knob '{"no-sid": 1}'
enroll one >said
grep -q 'weak mapping' said || fail "$(cat said)"
ms_cs '{"certificates": true}' | jq -j '.[-1].pem' >issued.pem
openssl x509 -in issued.pem -noout -subject | grep -q 'Ada Lovelace' || fail "$(cat issued.pem)"
tessera --json card show slot:hsm/one | jq -e '.certificates[0].status == "valid"' >/dev/null || fail "no certificate"
ms_cs_knob '{"wrong-person": 1}'
expect_failure any enroll two
[[ $output == *'user principal name is "grace@lab.test"'* ]] || fail "$output"
[ "$(ms_cs_has issued)" = 1 ] || fail "another's certificate is not revoked"
tessera --json slot keys hsm | jq -e 'all(.[]; .label != "two" or .state != "active")' >/dev/null || fail "$(tessera slot keys hsm)"

expect_output whole tessera audit verify
