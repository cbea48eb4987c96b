#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cards get, keep and lose certificates of DigiCert ONE as the guide says, over one connection and with secrets that nobody sees
# sandbox: --cards blank,blank
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/digicert-one.sh
source "$TESSERA_SOURCE/tests/lib/digicert-one.sh"
cd "$TESSERA_SANDBOX/tmp"
start_digicert_one 8443

# --- the guide
guide_lines digicert-one.md "Add the connection" "{" |
    jq --arg ca "$PWD/activation-ca.pem" '.url = "https://localhost:8443" | .["ca-file"] = $ca' >digicert.json
guide_run digicert-one.md "Add the connection" "tessera connection add" >said
grep -q 'profiles: 6 of 9 profiles can be used' said || fail "$(cat said)"
guide_run digicert-one.md "Profiles and their fields" "tessera connection profiles" >said
grep -q 'Old one .* no  *it is not active' said || fail "$(cat said)"
grep -q 'unique_identifier .* nothing' said || fail "$(cat said)"
guide_lines digicert-one.md "A template" "{" >badge.json

# What the profile requires has to be filled before a template is saved.
expect_failure 2 tessera template add badge.json
[[ $output == *"/keys/0/certificate"*'requires subject.unique_identifier'* ]] || fail "$output"
export EDITOR=$PWD/editor
unset VISUAL
cat >editor <<'END'
#!/bin/sh
jq '.["subject.unique_identifier"] = {prompt: "Badge number", field: "badge"}' "$1" >"$1.new" && mv "$1.new" "$1"
END
chmod +x editor
guide_run digicert-one.md "Profiles and their fields" "tessera connection fields digicert Badge --edit"
expect_output 'asked for: Badge number' tessera connection fields digicert Badge
one_card() {
    [ "$(tessera --json reader list | jq '[.[] | select(.card_present)] | length')" = 1 ]
}
card_remove 1
wait_for 10 one_card
guide_types 'PIN=271828'
guide_run digicert-one.md "A template" "tessera template add"
guide_types
[ "$(has_certificates issued)" = 1 ] || fail "the card has not got one certificate"
tessera card retire --yes >/dev/null
[ "$(tessera --json template list | jq -r '.[] | select(.name == "badge").prompts.badge')" = "Badge number" ] ||
    fail "the template does not tell its prompts"
expect_failure 2 setsid tessera card issue --reader 1 --template badge --holder name=Ada --holder email=ada@example.org
[[ $output == *'"badge" is missing'* ]] || fail "$output"
"$TESSERA_SOURCE/tests/lib/typist" 'Badge number=77AB' -- tessera card issue --reader 1 --template badge \
    --holder name=Ada --holder email=ada@example.org >/dev/null
tessera card retire --yes >/dev/null
guide_run digicert-one.md "When the service does not answer" >said
grep -q 'nothing that an authority' said || fail "$(cat said)"

# --- other templates that are refused
digicert_one_template >template.json
refused() {
    jq "$1" template.json >wrong.json
    expect_failure 2 tessera template add wrong.json
    [[ $output == *"/keys/0/certificate"*"$2"* ]] || fail "'$2' is not in: $output"
}
refused '.keys[0].certificate.profile = "nothing"' 'there is no profile "nothing"'
refused '.keys[0].certificate.profile = "Old one"' 'cannot be used: it is not active'
refused '.keys[0].algorithm = "ec-p256"' 'takes keys of 2048 bits'
refused '.keys[0].certificate.san = {"email": "{email}"}' 'requires san.user_principal_names'
refused '.keys[0].certificate.san.dns = "a.example"' 'has no place for dns in the san'
tessera template add template.json >/dev/null

# --- a card's life
holder=(--holder name=Ada --holder email=ada@example.org --holder upn=ada@example.org)
tessera card issue --reader 1 --template digicert "${holder[@]}" >/dev/null
one=$(tessera --json reader show 1 | jq -r .serial)
is "$one" "valid valid"
tessera card certificate "$one" authentication --pem -o one.pem
openssl verify -CAfile digicert-ca.pem one.pem >/dev/null
printf '271828\n' >pin
tessera card activate "$one" --new-pin-file pin >/dev/null
signs_for one.pem 271828
before=$(has_certificates revoked)
tessera card suspend "$one" >/dev/null
[ "$(has_certificates suspended)" = 2 ] || fail "the certificates are not suspended"
is "$one" "on-hold on-hold"
tessera card resume "$one" >/dev/null
[ "$(has_certificates suspended)" = 0 ] || fail "the certificates are still suspended"
tessera card reissue "$one" >/dev/null
[ "$(has_certificates revoked)" = $((before + 2)) ] || fail "reissue leaves the old certificates"
is "$one" "valid valid"
tessera card activate "$one" --new-pin-file pin >/dev/null
card_insert 1
tessera card replace "$one" --reader 2 >/dev/null
[ "$(has_certificates revoked)" = $((before + 4)) ] || fail "replace leaves the old certificates"
two=$(tessera --json reader show 2 | jq -r .serial)
is "$two" "valid valid"
is "$one" ""

# --- renewed where that can be done now, and the certificate would say the same; else reissued
[ "$(counted renewed)" = 0 ] || fail "something was renewed"
tessera --json connection show digicert | jq '.profiles["Smart card logon"] = {"validity-days": 10}' >short.json
tessera connection update short.json >/dev/null
tessera card reissue "$two" >/dev/null
[ "$(counted renewed)" = 0 ] || fail "a certificate of a year was renewed"
tessera card reissue "$two" >/dev/null
[ "$(counted renewed)" = 1 ] || fail "a certificate of ten days was not renewed"
is "$two" "valid valid"
[ "$(has_certificates issued)" = 2 ] || fail "the certificates of before are not revoked"
tessera card certificate "$two" authentication --pem -o two.pem
openssl verify -CAfile digicert-ca.pem two.pem >/dev/null
tessera card reissue "$two" --holder name=Grace --holder email=ada@example.org --holder upn=ada@example.org >/dev/null
[ "$(counted renewed)" = 1 ] || fail "a certificate with another name was renewed"
tessera card reissue "$two" --holder name=Grac --holder email=ada@example.org --holder upn=ada@example.org >/dev/null
[ "$(counted renewed)" = 1 ] || fail "a certificate whose name is a part of the older one was renewed"
tessera card report "$two" --as lost --yes >/dev/null
[ "$(has_certificates suspended)" = 2 ] || fail "a lost card's certificates are not suspended"
tessera card revoke "$two" --yes --reason keyCompromise >/dev/null
digicert_one '{"certificates": true}' | jq -e '[.[] | select(.reason == "key_compromise")] | length == 2' >/dev/null ||
    fail "the reason did not arrive"
tessera task list | grep -q 'There is nothing' || fail "$(tessera task list)"

# --- forms of greetings and lists
for knobs in '{"hello": "old"}' '{"hello": "quoted"}' '{"hello": "locked"}' '{"list": "nested"}' '{"list": "paged"}' \
    '{"source": "source"}' '{"source": "object"}'; do
    no_knobs
    knob "$knobs"
    expect_output "6 of 9 profiles can be used" tessera connection test digicert
    tessera connection profiles digicert --update >said
    grep -q 'By SAML .* no ' said || fail "$knobs: $(cat said)"
    expect_output 'by the authority' tessera connection fields digicert "Smart card logon"
done
no_knobs

# --- secrets
echo wrong >wrong-key
tessera connection secret digicert api-key wrong-key >/dev/null
expect_failure 1 tessera connection test digicert
[[ $output == *"authentication: "*"does not accept the API key"* ]] || fail "$output"
expect_failure 2 tessera connection secret digicert password wrong-key
[[ $output == *"are api-key, client-certificate"* ]] || fail "$output"
printf 'two words\n' | expect_failure 2 tessera connection secret digicert api-key -
"$TESSERA_SOURCE/tests/lib/typist" "api-key of connection digicert=$(cat api-key)" -- \
    tessera connection secret digicert api-key >/dev/null
tessera connection test digicert >/dev/null
[ "$(tessera --json connection list | jq -c '.[] | select(.name == "digicert").secrets')" = '["api-key"]' ] ||
    fail "the secrets that are there are not told"
restart_daemon
tessera connection test digicert >/dev/null || fail "the secret is lost after a restart"
! grep -rqF "$(cat api-key)" "$TESSERA_SANDBOX/log" "$TESSERA_STATE" || fail "the key is in a log or the store"

# --- a client certificate in place of the key, at the other host name
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=tesserad -keyout client.key -out client.crt 2>/dev/null
cat client.crt client.key >client.pem
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=clientauth.localhost -keyout tls.key -out tls.crt \
    -addext subjectAltName=DNS:clientauth.localhost 2>/dev/null
cat tls.crt tls.key >localhost.pem
start_digicert_one 8444 --client-ca "$PWD/client.crt"
digicert_one_document 8444 |
    jq --arg ca "$PWD/tls.crt" '.name = "by-certificate" | .authentication = "client-certificate" | .["ca-file"] = $ca' \
        >by-certificate.json
tessera connection add by-certificate.json >/dev/null
expect_failure 2 tessera connection secret by-certificate client-certificate client.crt
[[ $output == *"holds no private key"* ]] || fail "$output"
tessera connection secret by-certificate client-certificate client.pem >/dev/null
expect_output "the client certificate is accepted" tessera connection test by-certificate

# --- whose key is in an HSM
printf '4711-0815\n' >slot-pin
tessera slot add hsm --create --keep-pin --pin-file slot-pin >/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out hsm.key 2>/dev/null
SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf softhsm2-util --import hsm.key --token hsm --label tls --id 01 --pin 4711-0815 >/dev/null
tessera slot test hsm >/dev/null
openssl req -new -x509 -days 1 -key hsm.key -subj /CN=hsm -out hsm.crt 2>/dev/null
rm hsm.key
stop_digicert_one 8444
cat hsm.crt >client-ca.pem
start_digicert_one 8444 --client-ca "$PWD/client-ca.pem"
tessera --json connection show by-certificate | jq '.["client-key"] = "pkcs11:token=hsm;object=tls"' >by-hsm.json
tessera connection update by-hsm.json >/dev/null
expect_failure 2 tessera connection secret by-certificate client-certificate client.pem
[[ $output == *"names another one"* ]] || fail "$output"
tessera connection secret by-certificate client-certificate hsm.crt >/dev/null
expect_output "the client certificate is accepted" tessera connection test by-certificate
jq '.["client-key"] = "pkcs11:token=hsm;object=other"' by-hsm.json >wrong.json
tessera connection update wrong.json >/dev/null
expect_failure any tessera connection test by-certificate
[[ $output == *"no slot whose PIN tesserad has shows"* ]] || fail "$output"
tessera connection forget-secret by-certificate client-certificate >/dev/null
tessera connection remove by-certificate >/dev/null
expect_output whole tessera audit verify
stop_digicert_one 8443
stop_digicert_one 8444
