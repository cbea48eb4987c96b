#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# whatever PKI Platform 8 does, a card gets the certificate of its key or one clear error, and none is issued twice or lost
# time limit: 400
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/pki-platform.sh
source "$TESSERA_SOURCE/tests/lib/pki-platform.sh"
cd "$TESSERA_SANDBOX/tmp"
start_pki_platform 8444
elsewhere=$stand_in_control
start_pki_platform 8443
add_pki_platform 8443
pki_platform_template | jq '.keys |= .[0:1]' >template.json
tessera template add template.json >/dev/null
wait_for 10 tessera reader show 1

issue() {
    tessera card issue --reader 1 --template platform --holder name=Ada --holder email=ada@example.org \
        --holder upn=ada@example.org
}

fail_with() {
    echo "{\"fail\": {\"operation\": \"RequestSecurityToken\", $1}}"
}

# The answer is lost, late, or no answer: the certificate is found by its key, and asked for once.
try '{"lose-answer": 1}' 1 0
try '{"cut-answer": 1}' 1 0
try '{"truncate": 1}' 1 0
try '{"html": 1}' 1 0
try '{"oversize": 1}' 1 0
try '{"slow": 1}' 1 0
try '{"hang": 1}' 1 0
try '{"lose-answer": 1, "page": 1}' 1 0
try '{"missing-token": 1}' 1 0
try '{"doctype": 1}' 1 0
try '{"entities": 1}' 1 0
try "$(fail_with '"status": 500, "done": true')" 1 0
try "$(fail_with '"status": 503, "done": true')" 1 0
try '{"redirect": "https://localhost:8444/pki-ws/enrollmentService"}' 1 0
[ "$(stand_in_control=$elsewhere counted requests)" = 0 ] || fail "a redirect was followed"

# Busy: asked again when it says so, in seconds or by a date.
try "$(fail_with '"status": 429, "retry-after": "1"')" 1 0
try "$(fail_with '"status": 503, "retry-after": "1"')" 1 0
try "$(fail_with "\"status\": 429, \"retry-after\": \"$(LC_ALL=C date -u -d '+2 seconds' '+%a, %d %b %Y %T GMT')\"")" 1 0
try "$(fail_with '"status": 429, "retry-after": "1000"')" 0 1 "asks to wait 1000 seconds"

# It was not done, or nobody can say: nothing is asked for twice.
try "$(fail_with '"status": 500')" 0 1 "is not repeated"
try "{\"fault-shape\": 3, $(fail_with '"fault": true' | cut -c 2-)" 0 1 "is not repeated"
try '{"close-idle": 1}' 0 8 "is not repeated"

# Refusals, with a fault in each of its shapes, and without one.
try "$(fail_with '"fault": true, "code": "E-77", "message": "No seats\nare left"')" 0 1 "No seats are left (E-77)"
try "{\"fault-shape\": 2, $(fail_with '"fault": true, "code": "E-78", "message": "Not allowed"' | cut -c 2-)" 0 1 \
    "PKI Platform says: Not allowed (E-78)"
try "{\"fault-shape\": 3, $(fail_with '"fault": true, "client": true, "message": "It is odd"' | cut -c 2-)" 0 1 "It is odd"
try "$(fail_with '"status": 401')" 0 1 "does not accept the client certificate"
try "$(fail_with '"status": 403, "text": "<html>no\u001b[2J</html>"')" 0 1 "does not accept the client certificate"
try "$(fail_with '"status": 404')" 0 1 "check the address"

# Certificates that are not this key's, this issuer's, or not new.
try '{"wrong-key": 1}' 1 1 "for another key"
try '{"wrong-issuer": 1}' 1 1 "not signed by the issuer"
try '{"duplicate-serial": 1}' 1 1 "a second time"

# Forms of a good answer.
try '{"token": "pkcs7"}' 1 0
try '{"wrapped": true}' 1 0
try '{"encoding": 1}' 1 0
try '{"pending": 2}' 1 0
try '{"pending": 2, "deny-pending": true}' 0 1 "rejected by an administrator"

# What was issued and is on no card is revoked, but for the one that nobody can find by its key, and those with a number that
# another has, too.
tessera task list >tasks
[ "$(grep -c yubikey tasks)" -ge 2 ] || fail "$(cat tasks)"
[ "$(has_certificates VALID)" = 2 ] || fail "$(stand_in '{"certificates": true}' | jq '.[] | del(.pem)')"

# --- a pending one is put on its card later
knob '{"pending": 4}'
issue >/dev/null
one=$(tessera --json reader show 1 | jq -r .serial)
[ "$(tessera --json card show "$one" | jq -r '[.certificates[] | select(.status == "pending")] | length')" = 1 ] ||
    fail "no certificate is pending"
restart_daemon
is_valid() {
    tessera --json task list | jq -r '.[].id' | while read -r id; do tessera task run "$id" >/dev/null 2>&1 || true; done
    [ "$(tessera --json card show "$one" | jq -r '.certificates[] | select(.status != "revoked").status')" = valid ]
}
wait_for 60 is_valid
no_knobs
printf '271828\n' >pin
tessera card activate "$one" --new-pin-file pin >/dev/null

# --- revoking, suspending and resuming that fails is tried until it is done, and told as it is
newest() {
    stand_in '{"certificates": true}' | jq -r '.[-1].status'
}
run_tasks() {
    tessera --json task list | jq -r '.[].id' | while read -r id; do tessera task run "$id" >/dev/null 2>&1 || true; done
}
knob '{"about": "updateCertificateStatus", "lose-answer": 1}'
tessera card suspend "$one" >/dev/null
no_knobs
[ "$(newest)" = SUSPENDED ] || fail "it is $(newest)"
left=$(tessera --json task list | jq length)
knob '{"revocation-count": 0}'
tessera card resume "$one" >said 2>&1 || true
[ "$(newest)" = SUSPENDED ] || fail "it is $(newest)"
tasks=$(tessera --json task list | jq length)
[ "$tasks" -gt "$left" ] || fail "nothing is left to be told: $(cat said)"
no_knobs
run_tasks
[ "$(newest)" = VALID ] || fail "what was not resumed is forgotten: it is $(newest)"
knob '{"success-code": -5}'
tessera card suspend "$one" >said 2>&1 || true
[ "$(newest)" = VALID ] || fail "it is $(newest)"
no_knobs
run_tasks
[ "$(newest)" = SUSPENDED ] || fail "what was not suspended is forgotten: it is $(newest)"
tessera card resume "$one" >/dev/null

# --- the steps of the test say where it ends
knob '{"health": "DOWN"}'
expect_failure 1 tessera connection test platform
[[ $output == *"service: "*"says that it is down: Service is DOWN"* ]] || fail "$output"
no_knobs
knob '{"fail": {"operation": "getStatus", "status": 404}}'
expect_output "does not tell its health" tessera connection test platform
knob '{"fail": {"operation": "requestPolicies", "status": 403}}'
expect_failure 1 tessera connection test platform
[[ $output == *"authentication: "*"does not accept the client certificate"* ]] || fail "$output"
knob '{"fail": {"operation": "requestPolicies", "status": 503, "retry-after": "1"}}'
tessera connection profiles platform --update >/dev/null || fail "a question is not asked again"
make_certificate elsewhere.example elsewhere.pem
control=$stand_in_control
start_part pki-platform-8445 "$TESSERA_SOURCE/tests/servers/pki-platform" --port 8445 \
    --certificate "$PWD/elsewhere.pem" --client-ca "$PWD/ra.crt" --control "$PWD/other.control"
wait_for_part pki-platform-8445 activation_answers 8445
for port in 8445 8449; do
    pki_platform_document $port >platform.json
    tessera connection update platform.json >/dev/null
    expect_failure 1 tessera connection test platform
    [[ $output == *"name: localhost:$port is found"* ]] || fail "$output"
    case $port in
        8445) [[ $output == *"TLS: "*"certificate is not trusted"* ]] || fail "$output" ;;
        8449) [[ $output == *"does not take connections"* ]] || fail "$output" ;;
    esac
done
[ "$(stand_in_control=$PWD/other.control counted requests)" = 0 ] || fail "something was sent to another name"
stand_in_control=$control

expect_output whole tessera audit verify
stop_pki_platform 8445
stop_pki_platform 8444
stop_pki_platform 8443
