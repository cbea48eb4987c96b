#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# whatever DigiCert ONE does, a card gets the certificate of its key or one clear error, and none is issued twice or lost
# time limit: 400
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
source "$TESSERA_SOURCE/tests/lib/digicert-one.sh"
cd "$TESSERA_SANDBOX/tmp"
start_digicert_one 8444
elsewhere=$PWD/digicert-one-8444.control
start_digicert_one 8443
add_digicert_one 8443
digicert_one_template | jq '.keys |= .[0:1]' >template.json
tessera template add template.json >/dev/null
wait_for 10 tessera reader show 1

issue() {
    tessera card issue --reader 1 --template digicert --holder name=Ada --holder email=ada@example.org \
        --holder upn=ada@example.org
}

fault() {
    echo "{\"fail\": {\"path\": \"/certificate\", $1}}"
}

# The answer is lost, late, or no answer: the certificate is found by its key, and asked for once.
try '{"lose-answer": 1}' 1 0
try '{"cut-answer": 1}' 1 0
try '{"truncate": 1}' 1 0
try '{"html": 1}' 1 0
try '{"oversize": 1}' 1 0
try '{"slow": 1}' 1 0
try '{"hang": 1}' 1 0
try "$(fault '"status": 500, "done": true')" 1 0
try "$(fault '"status": 503, "done": true')" 1 0
try '{"redirect": "https://localhost:8444/mpki/api/v1/certificate"}' 1 0
[ "$(stand_in_control=$elsewhere counted requests)" = 0 ] || fail "a redirect was followed"

# Busy: asked again when it says so, in seconds or by a date.
try "$(fault '"status": 429, "retry-after": "1"')" 1 0
try "$(fault '"status": 503, "retry-after": "1"')" 1 0
try "$(fault "\"status\": 429, \"retry-after\": \"$(LC_ALL=C date -u -d '+2 seconds' '+%a, %d %b %Y %T GMT')\"")" 1 0
try "$(fault '"status": 429, "retry-after": "1000"')" 0 1 "asks to wait 1000 seconds"

# It was not done, or nobody can say: nothing is asked for twice.
try "$(fault '"status": 500')" 0 1 "is not repeated"
try '{"close-idle": 1}' 0 8 "is not repeated"

# Refusals, in each shape of error.
try "{\"error-shape\": 1, $(fault '"status": 401, "code": "invalid_api_key"' | cut -c 2-)" 0 1 "does not accept the API key"
try "{\"error-shape\": 2, $(fault '"status": 403, "message": "No access \\u001b[2J"' | cut -c 2-)" 0 1 "No access"
try "{\"error-shape\": 3, $(fault '"status": 400, "message": "CSR is odd"' | cut -c 2-)" 0 1 "CSR is odd"
try "$(fault '"status": 404')" 0 1 "HTTP status 404"
try "$(fault '"status": 409, "code": "duplicate_error"')" 0 1 "duplicate_error"
try "$(fault '"status": 422')" 0 1 "HTTP status 422"
digicert_one '{"forget-seats": true}' >/dev/null
try '{"seat": "must-exist"}' 0 1 "Could not find seat"

# Certificates that are not this key's, this issuer's, or not new.
try '{"wrong-key": 1}' 1 1 "for another key"
try '{"wrong-issuer": 1}' 1 1 "not signed by the issuer"
try '{"duplicate-serial": 1}' 1 1 "a second time"

# Forms of a good answer.
try '{"status-created": 200}' 1 0
try '{"chain": true}' 1 0
try '{"pkcs7": "pem"}' 1 0
try '{"pkcs7": "bare"}' 1 0
try '{"pending": 2}' 1 0
try '{"collision": true}' 1 0

# What was issued and is on no card is revoked, but for the one that nobody can find by its key, and the one whose number
# another has, too.
tessera task list >tasks
[ "$(grep -c yubikey tasks)" -ge 2 ] || fail "$(cat tasks)"
[ "$(has_certificates issued)" = 2 ] || fail "$(digicert_one '{"certificates": true}' | jq '.[] | del(.pem)')"

# Another name, nobody there: the steps of the test say where it ends.
no_knobs
make_certificate elsewhere.example elsewhere.pem
start_part digicert-one-8445 "$TESSERA_SOURCE/tests/servers/digicert-one" --port 8445 \
    --certificate "$PWD/elsewhere.pem" --key "$(cat api-key)" --control "$PWD/other.control"
wait_for_part digicert-one-8445 activation_answers 8445
for port in 8445 8449; do
    digicert_one_document $port >digicert.json
    tessera connection update digicert.json >/dev/null
    expect_failure 1 tessera connection test digicert
    [[ $output == *"name: localhost:$port is found"* ]] || fail "$output"
    case $port in
        8445) [[ $output == *"TLS: "*"certificate is not trusted"* ]] || fail "$output" ;;
        8449) [[ $output == *"does not take connections"* ]] || fail "$output" ;;
    esac
done
[ "$(stand_in_control=$PWD/other.control counted key-seen)" = 0 ] || fail "the key went to another name"
stop_digicert_one 8445

! grep -rqF "$(cat api-key)" "$TESSERA_SANDBOX/log" "$TESSERA_STATE" || fail "the key is in a log or the store"
expect_output whole tessera audit verify
stop_digicert_one 8443
stop_digicert_one 8444
