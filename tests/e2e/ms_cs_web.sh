#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cards get certificates by the web enrollment (certsrv) of Microsoft CS, whatever its language, and none is asked for twice
# time limit: 400
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/ms-cs.sh
source "$TESSERA_SOURCE/tests/lib/ms-cs.sh"
cd "$TESSERA_SANDBOX/tmp"
start_ms_cs 8444
elsewhere=$ms_cs_control
start_ms_cs 8443
ms_cs_commands

web_document() {
    ms_cs_document "$1" | jq --arg url "https://localhost:$1/certsrv" --arg issuer "$PWD/ms-cs-ca.pem" 'del(.["policy-url"]) |
        .protocol = "web" | .url = $url | .["issuer-file"] = $issuer |
        .profiles = {CardLogonOffline: {subject: "request"}, TesseraLogon: {"on-behalf": true}}' | ms_cs_revocation
}

echo "# the guide"
guide_lines microsoft-cs.md "Without the web services" "{" | sed 's/ca01.lab.test/localhost:8443/; s#/etc/tessera/lab-ca.pem#ms-cs-ca.pem#' |
    jq --arg ca "$PWD/activation-ca.pem" --arg issuer "$PWD/ms-cs-ca.pem" '.["ca-file"] = $ca | .["issuer-file"] = $issuer' >lab-web.json
cp ms-cs-password password-file
guide_run microsoft-cs.md "Without the web services" "tessera connection add" >said
grep -q 'service: the enrollment service at localhost:8443 answers' said || fail "$(cat said)"
tessera connection remove lab >/dev/null

echo "# what the document may say"
web_document 8443 >lab.json
wrong() {
    jq "$1" lab.json >wrong.json
    expect_failure 2 tessera connection add wrong.json
    [[ $output == *"$2"* ]] || fail "$1: $output"
}
wrong '.protocol = "dcom"' "/protocol"
wrong '.["policy-url"] = "https://localhost/CEP"' "there is no policy service"
wrong '.user = "a:b"' "/user"
wrong '.url = "https://localhost"' "https://HOST/certsrv"
wrong '.profiles["A\r\nSAN:dns=b"] = {}' "no control characters"
tessera connection add lab.json >/dev/null
expect_failure 1 tessera connection test lab
[[ $output == *"secret: "*"tessera connection secret lab password"* ]] || fail "$output"
tessera connection secret lab password ms-cs-password >/dev/null
tessera connection test lab >said || fail "$(cat said)"
for step in "name" "TLS" "authentication: localhost:8443 accepts the user and password" "service" "profiles: 1 of 2"; do
    grep -q "$step" said || fail "$step: $(cat said)"
done

ms_cs_template | jq '.keys |= .[0:1]' >template.json
tessera template add template.json >/dev/null
wait_for 10 tessera reader show 1
issue() {
    tessera card issue --reader 1 --template lab --holder name=Ada --holder email=ada@example.org --holder upn=ada@lab.test
}
status() {
    tessera --json card show | jq -r '[.certificates[] | select(.status != "revoked").status] | join(" ")'
}
open_tasks() {
    tessera --json task list | jq length
}

echo "# issued, in each language; and pending ones that are issued soon"
for knobs in '{}' '{"language": "de"}' '{"language": "ja"}' '{"pending": 2}' '{"pending": 2, "language": "de"}' \
    '{"pending": 2, "language": "ja"}' '{"fail-fetch": 1}' '{"no-leaf": 1}'; do
    ms_cs_knob "$knobs"
    before=$(ms_cs_counted issue-posts)
    issue >/dev/null
    [ "$(status)" = valid ] || fail "$knobs: $(tessera card show)"
    [ $(($(ms_cs_counted issue-posts) - before)) = 1 ] || fail "$knobs: asked more than once"
    tessera card certificate authentication --pem -o card.pem
    ms_cs '{"certificates": true}' | jq -j '.[-1].pem' | cmp - card.pem || fail "$knobs: another certificate"
    ms_cs_no_knobs
    tessera card retire --yes >/dev/null
done
[ "$(ms_cs_has issued)" = 0 ] || fail "a certificate is valid still"

echo "# pending for long: collected when it is decided"
for language in en de ja; do
    ms_cs_knob "{\"pending\": 1000, \"language\": \"$language\"}"
    issue >/dev/null
    [ "$(status)" = pending ] || fail "$language: $(tessera card show)"
    task=$(tessera --json task list | jq -r '.[0].id')
    expect_failure any tessera task run "$task"
    [[ $output == *"not issued it yet"* ]] || fail "$language: $output"
    if [ "$language" = en ]; then
        restart_daemon
        ms_cs '{"decide": "issue"}' >/dev/null
        tessera task run "$task" >/dev/null
        [ "$(status)" = valid ] || fail "$(tessera card show)"
    else
        ms_cs '{"decide": "deny"}' >/dev/null
        expect_failure any tessera task run "$task"
        [[ $output == *"denied by a certificate manager"* ]] || fail "$language: $output"
        [ "$(tessera --json task list | jq -r '.[0].next')" = 0 ] || fail "$(tessera task list)"
    fi
    ms_cs_no_knobs
    tessera card retire --yes >/dev/null
done
[ "$(open_tasks)" = 0 ] || fail "$(tessera task list)"

# try KNOBS ISSUED POSTS TEXT [TASKS]: an issuance under these knobs fails so.
try() {
    local issued posts tasks
    issued=$(ms_cs_counted issued) posts=$(ms_cs_counted issue-posts) tasks=$(open_tasks)

    ms_cs_knob "$1"
    expect_failure any issue
    ms_cs_no_knobs
    [ "$(grep -c '^tessera: ' <<<"$output")" = 1 ] || fail "$1: not one clear error: $output"
    [[ $output == *"$4"* ]] || fail "$1: '$4' is not in: $output"
    [ "${#output}" -lt 1000 ] || fail "$1: the error is ${#output} bytes long"
    [[ $output != *$'\x1b'* && $output != *$'\r'* ]] || fail "control characters reach the terminal"
    [ $(($(ms_cs_counted issued) - issued)) = "$2" ] || fail "$1: $(($(ms_cs_counted issued) - issued)) issued, not $2"
    [ $(($(ms_cs_counted issue-posts) - posts)) = "$3" ] || fail "$1: $(($(ms_cs_counted issue-posts) - posts)) posts, not $3"
    [ $(($(open_tasks) - tasks)) = "${5:-0}" ] || fail "$1: not ${5:-0} tasks more: $(tessera task list)"
}

echo "# denied, in the CA's words and ours"
refusal() {
    echo "{\"refuse\": {\"code\": $(($1)), \"message\": \"$2\"}, \"language\": \"$3\"}"
}
for language in en de ja; do
    try "$(refusal 0x80094012 'No <b>\r\nrights\u001b[1m.' $language)" 0 1 "0x80094012, No <b> rights [1m.: the account of this connection lacks the right Enroll"
done
try "$(refusal 0x800706ba 'The RPC server is unavailable.' de)" 0 1 "does not reach the CA"
try "$(refusal 0x800706be 'The remote procedure call failed.' en)" 0 1 "is not repeated" 1
try "$(refusal 0x80001234 'Odd.' en)" 0 1 "is not repeated" 1

echo "# lost answers are not repeated"
for knobs in '{"lose-answer": 1}' '{"cut-answer": 1}' '{"truncate": 1}' '{"html": 1}' '{"oversize": 1}' '{"hang": 1}' \
    '{"redirect": "https://localhost:8444/certsrv/certfnsh.asp"}' '{"page": "<title>Microsoft</title>"}' \
    '{"fail": {"operation": "issue", "status": 500, "done": true}}'; do
    try "$knobs" 1 1 "is not repeated" 1
done
[ "$(ms_cs_control=$elsewhere ms_cs_counted requests)" = 0 ] || fail "a redirect was followed"
try '{"fail": {"operation": "issue", "status": 503}}' 0 0 "stopped or busy"
try '{"fail": {"operation": "issue", "status": 404}}' 0 0 "check the path"

echo "# certificates that cannot be used"
try '{"wrong-key": 1}' 1 1 "for another key" 1
try '{"wrong-issuer": 1}' 1 1 "not signed by a CA"

echo "# several addresses"
web_document 8443 | jq --arg issuer "$PWD/second-ca.pem" '.url = ["https://localhost:8449/certsrv", .url + "/"]' >several.json
tessera connection update several.json >/dev/null
issue >/dev/null
[ "$(status)" = valid ] || fail "$(tessera card show)"
tessera card retire --yes >/dev/null

echo "# on behalf of somebody"
tessera connection update <(ms_cs_agent <lab.json) >/dev/null
make_ms_cs_agent
tessera connection secret lab enrollment-agent ms-cs-agent.pem >/dev/null
jq '.name = "agent" | .keys[0].certificate = {authority: "lab", profile: "TesseraLogon", subject: [["CN", "{name}"]]}' \
    template.json >agent.json
tessera template add agent.json >/dev/null
tessera card issue --reader 1 --template agent --holder name=Ada --holder account=ada --holder upn=ada@lab.test >/dev/null
[ "$(ms_cs '{"certificates": true}' | jq -r '.[-1].requester')" = 'LAB\ada' ] || fail "$(ms_cs '{"certificates": true}')"
tessera card retire --yes >/dev/null

echo "# the steps of the test, and secrets"
tested() {
    tessera connection update "$1" >/dev/null
    expect_failure 1 tessera connection test lab
    [[ $output == *"$2"* ]] || fail "'$2' is not in: $output"
}
jq '.url = "https://nowhere.invalid/certsrv"' lab.json >other.json
tested other.json "name: https://nowhere.invalid/certsrv"
jq '.url = "https://localhost:8443/elsewhere"' lab.json >other.json
tested other.json "service: localhost:8443: it answers HTTP status 4"
printf 'wrong\n' >wrong
tessera connection secret lab password wrong >/dev/null
tested lab.json "authentication: localhost:8443: it answers HTTP status 401: it does not accept user and password (is Basic"
try '{}' 0 0 "does not accept user and password"
basic=$(printf 'LAB\\cmsoper:%s' "$(cat ms-cs-password)" | base64 -w0)
! grep -rqF -e "$(cat ms-cs-password)" -e "$basic" "$TESSERA_SANDBOX/log" "$TESSERA_STATE" || fail "the password is in a log or the store"

echo "# a client certificate"
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=tesserad -keyout client.key -out client.crt 2>/dev/null
cat client.crt client.key >client.pem
start_ms_cs 8445 --authentication certificate --client-ca "$PWD/client.crt"
web_document 8445 | jq 'del(.user) | .authentication = "client-certificate"' >by-certificate.json
tessera connection update by-certificate.json >/dev/null
tessera connection secret lab client-certificate client.pem >/dev/null
issue >/dev/null
[ "$(ms_cs_counted issued)" = 1 ] || fail "nothing was issued by a client certificate"

expect_output whole tessera audit verify
stop_ms_cs 8443
stop_ms_cs 8444
stop_ms_cs 8445
