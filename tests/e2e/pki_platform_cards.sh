#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cards get, keep and lose certificates of DigiCert PKI Platform 8 as the guide says, and its policies are read in every form
# sandbox: --cards blank,blank
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/pki-platform.sh
source "$TESSERA_SOURCE/tests/lib/pki-platform.sh"
cd "$TESSERA_SANDBOX/tmp"
start_pki_platform 8443 --revocation-port 8480

# --- the guide
guide_lines digicert-pki-platform.md "Add the connection" "{" |
    jq --arg ca "$PWD/activation-ca.pem" '.url = "https://localhost:8443" | .["ca-file"] = $ca' >platform.json
guide_run digicert-pki-platform.md "Add the connection" "tessera connection add" >said
grep -q 'authentication: the client certificate is accepted' said || fail "$(cat said)"
grep -q 'profiles: 4 of 6 profiles can be used' said || fail "$(cat said)"
guide_run digicert-pki-platform.md "Profiles and their fields" "tessera connection profiles" >said
grep -q 'Old one .* no  *it is not active' said || fail "$(cat said)"
grep -q 'Encryption with escrow .* no  *it keeps the private key in escrow' said || fail "$(cat said)"
grep -q 'badge_number .* nothing' said || fail "$(cat said)"
guide_lines digicert-pki-platform.md "A template" "{" >badge.json

# What the profile requires has to be filled before a template is saved.
expect_failure 2 tessera template add badge.json
[[ $output == *"/keys/0/certificate"*'requires badge_number'* ]] || fail "$output"
export EDITOR=$PWD/editor
unset VISUAL
cat >editor <<'END'
#!/bin/sh
jq '.badge_number = {prompt: "Badge number", field: "badge"}' "$1" >"$1.new" && mv "$1.new" "$1"
END
chmod +x editor
guide_run digicert-pki-platform.md "Profiles and their fields" "tessera connection fields platform Badge --edit"
expect_output 'asked for: Badge number' tessera connection fields platform Badge
one_card() {
    [ "$(tessera --json reader list | jq '[.[] | select(.card_present)] | length')" = 1 ]
}
card_remove 1
wait_for 10 one_card
guide_types 'PIN=271828'
guide_run digicert-pki-platform.md "A template" "tessera template add"
guide_types
[ "$(has_certificates VALID)" = 1 ] || fail "the card has not got one certificate"
tessera card retire --yes >/dev/null
nothing_left() {
    tessera task list | grep -q 'There is nothing'
}
wait_for 60 nothing_left
guide_run digicert-pki-platform.md "When the service does not answer" >said
grep -q 'nothing that an authority' said || fail "$(cat said)"

# --- templates that are refused
pki_platform_template >template.json
refused() {
    jq "$1" template.json >wrong.json
    expect_failure 2 tessera template add wrong.json
    [[ $output == *"/keys/0/certificate"*"$2"* ]] || fail "'$2' is not in: $output"
}
refused '.keys[0].certificate.profile = "nothing"' 'there is no profile "nothing"'
refused '.keys[0].certificate.profile = "Old one"' 'cannot be used: it is not active'
refused '.keys[0].algorithm = "ec-p256"' 'takes keys of 2048 bits'
refused '.keys[0].certificate.san = {"email": "{email}"}' 'requires otherNameUPN'
refused '.keys[0].certificate.san.dns = "a.example"' 'has no place for dns in the san'
tessera template add template.json >/dev/null

# --- a card's life
holder=(--holder name=Ada --holder email=ada@example.org --holder upn=ada@example.org)
tessera card issue --reader 1 --template platform "${holder[@]}" >/dev/null
one=$(tessera --json reader show 1 | jq -r .serial)
is "$one" "valid valid"
tessera card certificate "$one" authentication --pem -o one.pem
openssl verify -CAfile platform-ca.pem one.pem >/dev/null
openssl x509 -in one.pem -noout -ext subjectAltName | grep -q 'email:ada@example.org' || fail "the san lacks the address"
printf '271828\n' >pin
tessera card activate "$one" --new-pin-file pin >/dev/null
signs_for one.pem 271828
before=$(has_certificates REVOKED)
knob '{"hide": true}'
tessera card suspend "$one" >/dev/null
[ "$(has_certificates SUSPENDED)" = 2 ] || fail "the certificates are not suspended"
is "$one" "on-hold on-hold"
[ "$(tessera --json task list | jq -r '.[].kind' | sort | uniq -c | tr -s ' ')" = " 2 see" ] || fail "$(tessera task list)"
no_knobs
tessera --json task list | jq '.[].id' | while read -r id; do tessera task run "$id" >/dev/null; done
tessera task list | grep -q 'There is nothing' || fail "$(tessera task list)"
tessera card resume "$one" >/dev/null
[ "$(has_certificates SUSPENDED)" = 0 ] || fail "the certificates are still suspended"
tessera card reissue "$one" >/dev/null
[ "$(has_certificates REVOKED)" = $((before + 2)) ] || fail "reissue leaves the old certificates"
is "$one" "valid valid"
tessera card activate "$one" --new-pin-file pin >/dev/null
card_insert 1
tessera card replace "$one" --reader 2 >/dev/null
[ "$(has_certificates REVOKED)" = $((before + 4)) ] || fail "replace leaves the old certificates"
two=$(tessera --json reader show 2 | jq -r .serial)
is "$two" "valid valid"
is "$one" ""

# --- shorter where the policy lets a request say so
tessera --json connection show platform | jq '.profiles["Smart card logon"] = {"validity-days": 10} |
    .profiles.Signature = {"validity-days": 10}' >short.json
tessera connection update short.json >/dev/null
tessera card reissue "$two" >/dev/null
stand_in '{"certificates": true}' | jq -j '.[-2:][].pem' >issued.pem
csplit -sz -f issued- issued.pem '/BEGIN/' '{*}'
days_11() {
    ! openssl x509 -in "$1" -noout -checkend $((11 * 24 * 3600)) >/dev/null
}
days_11 issued-00 || fail "the days are not asked for"
days_11 issued-01 && fail "days are asked for that the policy does not take"
tessera card report "$two" --as lost --yes >/dev/null
[ "$(has_certificates SUSPENDED)" = 2 ] || fail "a lost card's certificates are not suspended"
tessera card revoke "$two" --yes --reason keyCompromise >/dev/null
stand_in '{"certificates": true}' | jq -e '[.[] | select(.reason == "KeyCompromise")] | length == 2' >/dev/null ||
    fail "the reason did not arrive"
wait_for 60 nothing_left

# --- forms of policies, and a list that is none
for names in variable plain bare; do
    knob "{\"names\": \"$names\"}"
    expect_output "4 of 6 profiles can be used" tessera connection test platform
    tessera connection profiles platform --update >/dev/null
    tessera connection fields platform "Smart card logon" >said
    grep -q 'otherNameUPN .* yes' said || fail "$names: $(cat said)"
    grep -q 'rfc822Name .* no' said || fail "$names: $(cat said)"
    grep -q 'O .* by the authority' said || fail "$names: $(cat said)"
    tessera template update template.json >/dev/null || fail "$names: the template does not fit any more"
done
no_knobs
knob '{"policies": "unchanged"}'
expect_failure 1 tessera connection profiles platform --update
[[ $output == *"is not one"* ]] || fail "$output"
no_knobs
expect_output "Smart card logon" tessera connection profiles platform

# --- secrets
expect_failure 2 tessera connection secret platform api-key ra.pem
[[ $output == *"are client-certificate"* ]] || fail "$output"
expect_failure 2 tessera connection secret platform client-certificate ra.crt
[[ $output == *"holds no private key"* ]] || fail "$output"
make_ra_certificate other
tessera connection secret platform client-certificate other.pem >/dev/null
expect_failure 1 tessera connection test platform
[[ $output == *"authentication: "*"client certificate is not accepted"* ]] || fail "$output"
tessera connection secret platform client-certificate ra.pem >/dev/null
restart_daemon
tessera connection test platform >/dev/null || fail "the secret is lost after a restart"
tail -n +2 ra.key | head -1 >line
! grep -rqFf line "$TESSERA_SANDBOX/log" "$TESSERA_STATE" || fail "the key is in a log or the store"
tessera connection certificate platform --pem -o ca.pem
cmp ca.pem platform-ca.pem || fail "the issuer is another one"

# --- the key of the client certificate in an HSM
printf '4711-0815\n' >slot-pin
tessera slot add hsm --create --keep-pin --pin-file slot-pin >/dev/null
SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf softhsm2-util --import ra.key --token hsm --label ra --id 01 \
    --pin 4711-0815 >/dev/null
tessera slot test hsm >/dev/null
tessera --json connection show platform | jq '.["client-key"] = "pkcs11:token=hsm;object=ra"' >by-hsm.json
tessera connection update by-hsm.json >/dev/null
expect_failure 2 tessera connection secret platform client-certificate ra.pem
[[ $output == *"names another one"* ]] || fail "$output"
tessera connection secret platform client-certificate ra.crt >/dev/null
expect_output "the client certificate is accepted" tessera connection test platform
tessera connection forget-secret platform client-certificate >/dev/null
expect_failure 1 tessera connection test platform
[[ $output == *"secret: "*"no secret client-certificate yet"* ]] || fail "$output"
expect_output whole tessera audit verify
stop_pki_platform 8443
