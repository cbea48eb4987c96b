#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# whatever Microsoft CS does, a card gets the certificate of its key or one clear error, and none is asked for twice or forgotten
# time limit: 400
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/ms-cs.sh
source "$TESSERA_SOURCE/tests/lib/ms-cs.sh"
cd "$TESSERA_SANDBOX/tmp"
start_ms_cs 8444
elsewhere=$ms_cs_control
start_ms_cs 8443
ms_cs_commands
add_ms_cs 8443
ms_cs_revocation <lab.json >lab-revokes.json
tessera connection update lab-revokes.json >/dev/null
ms_cs_template | jq '.keys |= .[0:1]' >template.json
tessera template add template.json >/dev/null
wait_for 10 tessera reader show 1

issue() {
    tessera card issue --reader 1 --template lab --holder name=Ada --holder email=ada@example.org --holder upn=ada@lab.test
}

certificate_on_card() {
    yubico-piv-tool --action read-certificate --slot 9a 2>/dev/null || true
}

open_tasks() {
    tessera --json task list | jq length
}

# try KNOBS ISSUED POSTS STATUS [TEXT [TASKS]]: an issuance under these knobs issues so many certificates at the stand-in, for
# so many requests, ends so, and says TEXT in one line; TASKS more are left to be looked after by somebody. A card that was
# issued holds what the stand-in has issued, and is made ready again.
try() {
    local issued posts tasks
    issued=$(ms_cs_counted issued) posts=$(ms_cs_counted issue-posts) tasks=$(open_tasks)

    ms_cs_knob "$1"
    if [ "$4" = 0 ]; then
        issue >said 2>&1 || fail "$1: $(cat said)"
        certificate_on_card >on-card.pem
        ms_cs '{"certificates": true}' | jq -j '.[-1].pem' | cmp - on-card.pem ||
            fail "$1: the card has another certificate than was issued"
        ms_cs_no_knobs
        tessera card retire --yes >/dev/null
    else
        expect_failure "$4" issue
        [ "$(grep -c '^tessera: ' <<<"$output")" = 1 ] || fail "$1: not one clear error: $output"
        [[ $output == *"$5"* ]] || fail "$1: '$5' is not in: $output"
        [ "${#output}" -lt 1000 ] || fail "$1: the error is ${#output} bytes long"
        [[ $output != *$'\x1b'* ]] || fail "control characters reach the terminal"
        ms_cs_no_knobs
        [ -z "$(certificate_on_card)" ] || fail "$1: the card has a certificate"
    fi
    [ $(($(ms_cs_counted issued) - issued)) = "$2" ] ||
        fail "$1: $(($(ms_cs_counted issued) - issued)) certificates were issued, not $2"
    [ $(($(ms_cs_counted issue-posts) - posts)) = "$3" ] ||
        fail "$1: $(($(ms_cs_counted issue-posts) - posts)) requests came, not $3"
    [ $(($(open_tasks) - tasks)) = "${6:-0}" ] || fail "$1: $(($(open_tasks) - tasks)) tasks more, not ${6:-0}: $(tessera task list)"
}

fault() {
    echo "{\"fail\": {\"operation\": \"issue\", $1}}"
}

# The answer is lost, late, or none: nobody can ask what became of it; the request is not repeated, and stays on the list.
for knobs in '{"lose-answer": 1}' '{"cut-answer": 1}' '{"truncate": 1}' '{"html": 1}' '{"oversize": 1}' '{"slow": 1}' \
    '{"hang": 1}' '{"redirect": "https://localhost:8444/LAB-CA_CES_UsernamePassword/service.svc/CES"}' \
    '{"doctype": 1}' '{"entities": 1}' '{"related": "urn:uuid:00000000-0000-4000-8000-000000000000"}' \
    "$(fault '"status": 500, "done": true')" "$(fault '"status": 502, "done": true')" \
    "$(fault '"fault": "Receiver", "subcode": "InternalServiceFault", "done": true')" \
    "$(fault "\"hresult\": $((0x800706be)), \"message\": \"The remote procedure call failed.\", \"done\": true")" \
    '{"neither": 1, "no-id": 1}' '{"twice": 1}'; do
    try "$knobs" 1 1 any "is not repeated" 1
done
[ "$(ms_cs_control=$elsewhere ms_cs_counted requests)" = 0 ] || fail "a redirect was followed"

# It was not done, as far as can be known.
try "$(fault '"status": 503')" 0 0 1 "stopped or busy"
try "$(fault '"fault": "Sender", "subcode": "ActionNotSupported"')" 0 0 1 "It fails"
try "$(fault '"status": 500')" 0 0 1 "is not repeated" 1
try '{"close-idle": 1}' 0 0 any "is not repeated" 1

# Refusals in the CA's own words, and what to do.
try "$(fault '"status": 401')" 0 0 1 "does not accept user and password"
try "$(fault '"status": 403')" 0 0 1 "does not accept user and password"
try "$(fault '"status": 404')" 0 0 1 "check the path"
try "$(fault "\"hresult\": $((0x800706ba)), \"message\": \"The RPC server is unavailable.\"")" 0 0 1 "does not reach the CA"
refusal() {
    echo "{\"refuse\": {\"code\": $(($1)), \"message\": \"$2\"}}"
}
try "$(refusal 0x80094012 'No\nrights.')" 0 1 1 "No rights. 0x80094012 (-2146877422): the account of this connection lacks the right Enroll"
try "$(refusal 0x80094809 'No signature.')" 0 1 1 "wants an enrollment agent's signature"
try "$(refusal 0xffffffff Odd.)" 0 1 1 "the CA refuses: Odd."

# Certificates that are not this key's, this CA's, or not new.
try '{"wrong-key": 1}' 1 1 1 "for another key" 1
try '{"wrong-issuer": 1}' 1 1 1 "not signed by a CA"
try '{"duplicate-serial": 1}' 1 1 1 "a second time"

# Forms of a good answer.
try '{"breaks": true}' 1 1 0
try '{"no-leaf": 1}' 1 1 0
try '{"words": "Ausgestellt", "no-id": 1}' 1 1 0
try '{"long-id": 1}' 1 1 0
try '{"pending": 2}' 1 1 0
try '{"pending": 2, "words": "Issued"}' 1 1 0
try '{"pending": 2, "reference": "https://elsewhere.example/CES"}' 1 1 0
try '{"pending": 2, "reference": "http://localhost:8443/CES"}' 1 1 0
try '{"pending": 2, "deny-pending": true}' 0 1 1 "denied by a certificate manager"

# What is on no card is revoked, or is a task: two tasks are about requests that came to nothing, and one certificate has the
# number of another that is revoked.
[ "$(ms_cs_has issued)" = $(($(open_tasks) - 2 + 1)) ] || fail "$(tessera task list; ms_cs '{"certificates": true}' | jq '.[] | del(.pem)')"
# Another name, nobody there, something else there: the steps of the test say where it ends.
make_certificate elsewhere.example elsewhere.pem
start_part ms-cs-8445 "$TESSERA_SOURCE/tests/servers/ms-cs" --port 8445 --certificate "$PWD/elsewhere.pem" \
    --password "$PWD/ms-cs-password" --control "$PWD/other.control"
wait_for_part ms-cs-8445 activation_answers 8445
tested() {
    tessera connection update "$1" >/dev/null
    expect_failure 1 tessera connection test lab
    [[ $output == *"$2"* ]] || fail "'$2' is not in: $output"
}
ms_cs_document 8445 >other.json
tested other.json "TLS: https://localhost:8445/LAB-CA_CES_UsernamePassword/service.svc/CES: its certificate is not trusted"
ms_cs_document 8449 >other.json
tested other.json "does not take connections"
jq '.url = "https://nowhere.invalid/CES"' lab.json >other.json
tested other.json "name: https://nowhere.invalid/CES"
jq '.url = "https://localhost:8443/elsewhere/CES"' lab.json >other.json
tested other.json "service: localhost:8443: it answers HTTP status 404: there is no such service; check the path"
ms_cs_knob '{"no-policies": 1}'
tested lab.json "profiles: none of 0 profiles can be used"
[ "$(ms_cs_control=$PWD/other.control ms_cs_counted requests)" = 0 ] || fail "something was said to another name"
stop_ms_cs 8445

! grep -rqF "$(cat ms-cs-password)" "$TESSERA_SANDBOX/log" "$TESSERA_STATE" || fail "the password is in a log or the store"
expect_output whole tessera audit verify
stop_ms_cs 8443
stop_ms_cs 8444
