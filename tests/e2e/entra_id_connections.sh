#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the test of a connection to Entra ID looks at both addresses, and says in words what to do; no secret is told
# time limit: 200
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/entra.sh
source "$TESSERA_SOURCE/tests/lib/entra.sh"
cd "$TESSERA_SANDBOX/tmp"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=Tessera" -keyout key.pem -out upload.pem 2>/dev/null
cat upload.pem key.pem >identity.pem
start_entra 8443

# works WORDS...: the connection's test passes, and says each of these.
works() {
    local words
    output=$(tessera connection test entra 2>&1) || fail "$output"
    for words in "$@"; do
        [[ $output == *"$words"* ]] || fail "'$words' is not in: $output"
    done
}

# fails STEP WORDS [STEP THAT HAS PASSED...]: it ends with that step and these words.
fails() {
    local step=$1 words=$2
    expect_failure 1 tessera connection test entra
    [[ $output == *"$step: "*"$words"* ]] || fail "'$step: $words' is not in: $output"
    shift 2
    for step in "$@"; do
        grep -q "^$step: localhost:844. " <<<"$output" || fail "'$step' is missing: $output"
    done
    [[ $output != *"$(cat client-secret)"* ]] || fail "the secret is told"
    [[ $output != *$'\x1b'* ]] || fail "control characters reach the terminal"
    no_knobs
}

# with JQ: the connection as it is there, with that change.
with() {
    entra_document 8443 | jq "$1" >changed.json
    tessera connection update changed.json >/dev/null
}

both=("authentication name" "authentication TLS" "API name" "API TLS")
entra_document 8443 >entra.json
tessera connection add entra.json >/dev/null
fails secret "tessera connection secret entra client-secret" "API name" "API TLS"
tessera connection secret entra client-secret client-secret >/dev/null
works "token: localhost:8443 gives the application a token by its client secret" "people: 7 found" \
    "mapping: the first one has name, given-name, surname, user, upn, email, employee-number, sid, phone"

# --- secrets
expect_failure 2 tessera connection secret entra client-secret - <<<"99999999-8888-4777-8666-555555555555"
[[ $output == *"its value is needed"* ]] || fail "$output"
expect_failure 2 tessera connection secret entra password - <<<word
echo another-value | tessera connection secret entra client-secret - >/dev/null
fails token "value that is needed, not its id (AADSTS7000215)" "${both[@]}"
tessera connection secret entra client-secret client-secret >/dev/null
knob '{"secret-expired": true}'
fails token "has expired: make another one for the application (AADSTS7000222)" "${both[@]}"

# --- the application, and each address
with '.["client-id"] = "99999999-8888-4777-8666-000000000000"'
fails token "the tenant has no application of this client-id (AADSTS700016)" "${both[@]}"
with '.tenant = "other.example"'
fails token "no such tenant in this cloud: check tenant and cloud (AADSTS90002)" "${both[@]}"
with '.["authentication-url"] = "https://localhost:8449"'
fails "authentication TLS" "does not take connections" "authentication name" "API name" "API TLS"
with '.["authentication-url"] = "https://nowhere.invalid"'
fails "authentication name" "its name is not known" "API name" "API TLS"
with '.["api-url"] = "https://localhost:8449"'
fails token "check both addresses (AADSTS70011); besides, API TLS: " "authentication name" "authentication TLS" "API name"
with 'del(.["ca-file"])'
fails "authentication TLS" "certificate is not trusted" "authentication name" "API name"
[[ $output == *"besides, API TLS: "*"certificate is not trusted"* ]] || fail "$output"

# --- what Graph does not let it do
with .
knob '{"no-permission": true}'
fails permission "grant the application the permission User.Read.All (application, not delegated)" "${both[@]}"
knob '{"no-account-enabled": true}'
fails permission "does not say whether the account"
with '.groups = ["a0000000-0000-4000-8000-000000000009"]'
fails groups "group a0000000-0000-4000-8000-000000000009: Graph answers HTTP status 404"
with '.groups = ["a0000000-0000-4000-8000-000000000001"]'
works "groups: only members of Card holders get cards" "people: 3 found"
knob '{"no-group-permission": true}'
fails groups "User.Read.All and GroupMember.Read.All"
with '.filter = "shoeSize eq '"'44'"'"'
fails people "Could not find a property named 'shoeSize'"
with '.filter = "userType eq '"'Guest'"'"'
works "people: 1 found"
with '.fields = {badge: "shoeSize"}'
fails people "Could not find a property named 'shoeSize'"
with '.fields = {badge: "onPremisesExtensionAttributes/extensionAttribute3", name: null, phone: null}'
works "department, title, badge"

# --- by a certificate
with '.authentication = "client-certificate"'
fails secret "tessera connection secret entra client-certificate"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=Curve" -keyout curve.key \
    -out curve.pem 2>/dev/null
expect_failure 2 tessera connection secret entra client-certificate <(cat curve.pem curve.key)
[[ $output == *"RSA keys of 2048 bits"* ]] || fail "$output"
expect_failure 2 tessera connection secret entra client-certificate upload.pem
tessera connection secret entra client-certificate identity.pem >/dev/null
works "gives the application a token by its certificate"
[ "$(counted PS256)" = "$(counted by-certificate)" ] || fail "the assertion was not signed by PS256"
with '.authentication = "client-certificate" | .["assertion-algorithm"] = "RS256"'
works "gives the application a token by its certificate"
[ "$(counted RS256)" = 1 ] || fail "the assertion was not signed by RS256"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=Other" -keyout other.key -out other.pem 2>/dev/null
tessera connection secret entra client-certificate <(cat other.pem other.key) >/dev/null
fails token "upload it there, under Certificates & secrets (AADSTS700027)" "${both[@]}"

# --- by a key in an HSM slot
printf '4711-0815\n' >slot-pin
tessera slot add hsm --create --keep-pin --pin-file slot-pin >/dev/null
SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf softhsm2-util --import key.pem --token hsm --label application --id 01 \
    --pin 4711-0815 >/dev/null
tessera slot test hsm >/dev/null
for algorithm in PS256 RS256; do
    before=$(counted $algorithm)
    with '.authentication = "client-certificate" | .["assertion-algorithm"] = "'$algorithm'" |
        .["client-key"] = "pkcs11:token=hsm;object=application"'
    expect_failure 2 tessera connection secret entra client-certificate identity.pem
    tessera connection secret entra client-certificate upload.pem >/dev/null
    works "gives the application a token by its certificate"
    [ "$(counted $algorithm)" = $((before + 1)) ] || fail "the key in the slot did not sign by $algorithm"
done
with '.authentication = "client-certificate" | .["client-key"] = "pkcs11:token=hsm;object=other"'
fails secret "no slot whose PIN tesserad has shows"

# --- what is no token
with .
for knobs in '"html": 9' '"truncate": 9' '"token-answer": {"token_type": "mac"}' '"token-answer": {"access_token": null}' \
    '"token-answer": {"access_token": "a b"}' '"token-answer": {"access_token": 7}'; do
    knob "{\"where\": \"token\", $knobs}"
    fails token "" "${both[@]}"
done
knob "{\"fail\": {\"where\": \"token\", \"status\": 400, \"number\": 4711}}"
fails token "AADSTS4711: It fails."
knob '{"fail": {"where": "token", "status": 503, "retry-after": "1"}}'
works "token: "
no_knobs
knob '{"fail": {"where": "token", "status": 429, "retry-after": "1000"}}'
fails token "asks to wait 1000 seconds"
[ "$(counted stray-tokens)" = 0 ] || fail "a token was sent to the token endpoint"

for secret in "$(cat client-secret)" another-value "$(sed -n 2p key.pem)"; do
    ! grep -rqF "$secret" "$TESSERA_SANDBOX/log" "$TESSERA_STATE" || fail "a secret is in a log or the store"
done
! grep -rq "Bearer \|eyJ0eXAi" "$TESSERA_SANDBOX/log" "$TESSERA_STATE" || fail "a token is in a log or the store"
expect_output whole tessera audit verify
stop_entra 8443
