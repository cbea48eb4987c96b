#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cards get certificates of Microsoft CS by user name and password or a client certificate, pending ones too, and denials are explained
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/ms-cs.sh
source "$TESSERA_SOURCE/tests/lib/ms-cs.sh"
cd "$TESSERA_SANDBOX/tmp"
start_ms_cs 8443
ms_cs_commands

# --- the guide
guide_lines microsoft-cs.md "Add the connection" "{" | sed 's/ces.lab.test/localhost:8443/' |
    jq --arg ca "$PWD/activation-ca.pem" '.["ca-file"] = $ca' >lab.json
cp ms-cs-password password-file
guide_run microsoft-cs.md "Add the connection" "tessera connection add" >said
grep -q 'service: the enrollment service' said || fail "$(cat said)"
guide_run microsoft-cs.md "Templates" "tessera connection profiles" >said
grep -q "san.upn .* the template's upn" said || fail "$(cat said)"
guide_lines microsoft-cs.md "Templates" "{" >logon.json
wait_for 10 tessera reader show 1
guide_types 'PIN=271828'
guide_run microsoft-cs.md "Templates" "tessera template add"
guide_types
[ "$(ms_cs_has issued)" = 1 ] || fail "the card has not got one certificate"
guide_run microsoft-cs.md "Pending and denied requests" >said
grep -q 'There is nothing' said || fail "$(cat said)"

# --- revoked by hand: a task until it is done
expect_failure any tessera card retire --yes
[[ $output == *"will be told again"* ]] || fail "$output"
ms_cs_document 8443 >lab.json
ms_cs_revocation <lab.json >lab-revokes.json
tessera connection update lab-revokes.json >/dev/null
tessera task run "$(tessera --json task list | jq -r '.[0].id')" >/dev/null
tessera card retire --yes >/dev/null
[ "$(ms_cs_has issued)" = 0 ] || fail "the retired card's certificate is valid"
expect_output "profiles: 6 of 15 profiles can be used" tessera connection test lab
tessera connection profiles lab >said
grep -q 'TesseraLogon .* no  *an enrollment agent has to ask for it' said || fail "$(cat said)"
grep -q 'FourEyes .* no  *it wants the signatures of several' said || fail "$(cat said)"
grep -q 'OtherSigner .* no .*no enrollment agent' said || fail "$(cat said)"
grep -q 'Archived .* no .*private key' said || fail "$(cat said)"
grep -q 'NotForUs .* no .*may not enroll' said || fail "$(cat said)"
grep -q 'Unpublished .* no .*no CA' said || fail "$(cat said)"
ms_cs_template >template.json
refused() {
    jq "$1" template.json >wrong.json
    expect_failure 2 tessera template add wrong.json
    [[ $output == *"/keys/0/certificate"*"$2"* ]] || fail "'$2' is not in: $output"
}
refused '.keys[0].certificate.profile = "Nothing"' 'there is no profile "Nothing"'
refused '.keys[0].certificate.profile = "FourEyes"' 'cannot be used: it wants the signatures'
refused '.keys[0].certificate.profile = "LongKey"' 'takes keys of at least 4096 bits'
refused '.keys[0].certificate.profile = "OwnLogon"' 'has no place for'
tessera template add template.json >/dev/null
wait_for 10 tessera reader show 1
holder=(--holder name=Ada --holder email=ada@example.org --holder upn=ada@lab.test)

statuses() {
    tessera --json card show | jq -r '[.certificates[] | select(.status != "revoked").status] | join(" ")'
}

# --- a card's life, at a CA that revokes by a command
tessera card issue --reader 1 --template lab "${holder[@]}" >/dev/null
[ "$(statuses)" = "valid valid" ] || fail "$(tessera card show)"
tessera card certificate authentication --pem -o one.pem
openssl verify -CAfile ms-cs-ca.pem one.pem >/dev/null
openssl x509 -in one.pem -noout -ext subjectAltName,extendedKeyUsage >said
grep -q 'email:ada@example.org' said || fail "$(cat said)"
grep -qi 'othername.*ada@lab.test' said || fail "$(cat said)"
tessera connection certificate lab --pem -o ca.pem
cmp ca.pem ms-cs-ca.pem
printf '271828\n' >pin
tessera card activate --new-pin-file pin >/dev/null
tessera card suspend >/dev/null
[ "$(ms_cs_has held)" = 2 ] || fail "the certificates are not held"
tessera card resume >/dev/null
[ "$(ms_cs_has held)" = 0 ] || fail "the certificates are held still"
tessera card reissue >/dev/null
[ "$(ms_cs_has revoked) $(ms_cs_has issued)" = "3 2" ] || fail "reissue leaves the old certificates"
tessera card retire --yes >/dev/null
[ "$(ms_cs_has issued)" = 0 ] || fail "a retired card's certificates are valid"

# --- pending: the card is issued without it, and gets it later
jq '.keys |= .[0:1]' template.json >one-key.json
tessera template update one-key.json >/dev/null
ms_cs_knob '{"pending": 1000}'
tessera card issue --reader 1 --template lab "${holder[@]}" >/dev/null
[ "$(statuses)" = pending ] || fail "$(tessera card show)"
task=$(tessera --json task list | jq -r '.[0].id')
expect_failure any tessera task run "$task"
[[ $output == *"not issued it yet"* ]] || fail "$output"
ms_cs_knob '{"about": "status", "lose-answer": 1}'
expect_failure any tessera task run "$task"
# A refusal to say what became of it is no denial of the request.
ms_cs_knob '{"fail": {"operation": "status", "hresult": '$((0x80070005))', "final": true}}'
expect_failure any tessera task run "$task"
[[ $output == *"may not do this there"* ]] || fail "$output"
[ "$(tessera --json task list | jq -r '.[0].next')" != 0 ] || fail "$(tessera task list)"
restart_daemon
ms_cs '{"decide": "issue"}' >/dev/null
tessera task run "$task" >/dev/null
[ "$(statuses)" = valid ] || fail "$(tessera card show)"
card_remove 0
card_insert 0
on_card() {
    yubico-piv-tool --action read-certificate --slot 9a 2>/dev/null
}
wait_for 20 on_card
ms_cs '{"certificates": true}' | jq -j '.[-1].pem' >issued.pem
on_card | cmp - issued.pem || fail "the card has another certificate"
tessera card retire --yes >/dev/null

# --- denied: in the CA's words, once; the card that is retired ends it
tessera card issue --reader 1 --template lab "${holder[@]}" >/dev/null
ms_cs '{"decide": "deny"}' >/dev/null
task=$(tessera --json task list | jq -r '.[0].id')
expect_failure any tessera task run "$task"
[[ $output == *"denied by a certificate manager"* ]] || fail "$output"
[ "$(tessera --json task list | jq -r '.[0].next')" = 0 ] || fail "$(tessera task list)"
tessera card retire --yes >/dev/null
tessera task list | grep -q 'There is nothing' || fail "$(tessera task list)"
ms_cs_no_knobs

# --- several addresses: the next one is asked when the one before it cannot have done anything
asked() {
    ms_cs_counted issue-posts
}
start_ms_cs 8444
second=$ms_cs_control
cp ms-cs-ca.pem second-ca.pem
ms_cs_control=$PWD/ms-cs-8443.control
cat activation-ca.pem >ca-file.pem
jq --arg ca "$PWD/second-ca.pem" 'del(.["policy-url"]) | .["issuer-file"] = $ca | .url = [
    "https://localhost:8449/LAB-CA_CES_UsernamePassword/service.svc/CES",
    "https://localhost:8443/LAB-CA_CES_UsernamePassword/service.svc/CES",
    "https://localhost:8444/LAB-CA_CES_UsernamePassword/service.svc/CES"] |
    .profiles = {CardLogonOffline: {subject: "request"}}' lab.json >several.json
tessera connection update several.json >/dev/null
expect_failure 1 tessera connection test lab
[[ $output == *"does not take connections"* ]] || fail "$output"
before=$(asked)
ms_cs_knob '{"fail": {"operation": "issue", "status": 503}}'
tessera card issue --reader 1 --template lab "${holder[@]}" >/dev/null
[ "$(asked)" = "$before" ] || fail "the stopped service was asked"
[ "$(ms_cs_control=$second ms_cs_counted issued)" = 1 ] || fail "the third address was not asked"
expect_failure any tessera card retire --yes
[[ $output == *"will be told again"* ]] || fail "$output"
tessera card retire --yes >/dev/null
ms_cs_knob '{"refuse": {"code": '$((0x80094012))'}}'
expect_failure 1 tessera card issue --reader 1 --template lab "${holder[@]}"
ms_cs_no_knobs
ms_cs_knob '{"lose-answer": 1}'
expect_failure any tessera card issue --reader 1 --template lab "${holder[@]}"
[ "$(ms_cs_control=$second ms_cs_counted issued)" = 1 ] || fail "a CA was asked after another had decided, or may have"
ms_cs_no_knobs

# --- secrets
printf 'wrong\n' >wrong
tessera connection update lab-revokes.json >/dev/null
tessera connection secret lab password wrong >/dev/null
expect_failure 1 tessera connection test lab
[[ $output == *"authentication: "*"does not accept the user and password"* ]] || fail "$output"
expect_failure 2 tessera connection secret lab api-key wrong
[[ $output == *"are password, client-certificate, enrollment-agent"* ]] || fail "$output"
tessera connection forget-secret lab password >/dev/null
expect_failure 1 tessera connection test lab
[[ $output == *"secret: "*"tessera connection secret lab password"* ]] || fail "$output"

# --- a client certificate
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=tesserad -keyout client.key -out client.crt 2>/dev/null
cat client.crt client.key >client.pem
start_ms_cs 8445 --authentication certificate --client-ca "$PWD/client.crt"
ms_cs_document 8445 | sed 's/_UsernamePassword/_Certificate/' |
    jq 'del(.user) | .authentication = "client-certificate" | .name = "by-certificate"' >by-certificate.json
tessera connection add by-certificate.json >/dev/null
expect_failure 2 tessera connection secret by-certificate client-certificate client.crt
tessera connection secret by-certificate client-certificate client.pem >/dev/null
expect_output "accepts the client certificate" tessera connection test by-certificate
tessera connection profiles by-certificate --update >/dev/null
jq '.name = "by-certificate" | .keys[0].certificate.authority = "by-certificate"' one-key.json >by-certificate-template.json
tessera template add by-certificate-template.json >/dev/null
tessera card issue --reader 1 --template by-certificate "${holder[@]}" >/dev/null
[ "$(ms_cs_counted issued)" = 1 ] || fail "nothing was issued by a client certificate"

expect_output whole tessera audit verify
stop_ms_cs 8443
stop_ms_cs 8444
stop_ms_cs 8445
