#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a key in an HSM slot gets a certificate of DigiCert ONE at once, later or not at all, and none is issued twice or lost
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/digicert-one.sh
source "$TESSERA_SOURCE/tests/lib/digicert-one.sh"
cd "$TESSERA_SANDBOX/tmp"
start_digicert_one 8443
add_digicert_one 8443
tessera --json connection show digicert | jq '.["pickup-seconds"] = 1' >digicert.json
tessera connection update digicert.json >/dev/null
printf '271828\n' >pin
tessera slot add seals --create --keep-pin --pin-file pin >/dev/null
tessera template add - >/dev/null <<'END'
{"name": "sealer", "card-type": "hsm-key", "keys": [{"algorithm": "rsa-2048", "certificate":
  {"authority": "digicert", "profile": "Signature", "subject": [["CN", "{name}"]], "san": {"email": "{email}"}}}]}
END

enroll() {
    tessera slot enroll seals "$1" --template sealer --holder name=Seal --holder email=seal@example.org
}
certificates() {
    tessera --json card show "slot:seals/$1" | jq -r '[.certificates[].status] | join(" ")'
}
state() {
    tessera --json slot keys seals | jq -r --arg key "$1" '.[] | select(.label == $key).state'
}
# The newest certificate that was issued lies beside the key, alone.
is_in_token() {
    digicert_one '{"certificates": true}' | jq -j '.[-1].pem' >issued.pem
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --token-label seals --read-object --type cert --label "$1" \
        --output-file token.der >/dev/null 2>&1 || fail "no certificate in the token"
    openssl x509 -inform DER -in token.der | cmp - <(openssl x509 -in issued.pem) || fail "the token has another certificate"
}
task() {
    tessera --json task list | jq -r ".[0].$1"
}

# --- at once
enroll now >/dev/null
[ "$(state now) $(certificates now)" = "active valid" ] || fail "$(tessera slot keys seals)"
is_in_token now
tessera slot renew seals now >/dev/null
[ "$(certificates now)" = "revoked valid" ] || fail "certificates are $(certificates now)"
is_in_token now
[ "$(has_certificates issued) $(has_certificates revoked)" = "1 1" ] || fail "the old certificate is not revoked"
tessera card suspend slot:seals/now >/dev/null
[ "$(has_certificates suspended)" = 1 ] || fail "the certificate is not suspended"
tessera card resume slot:seals/now >/dev/null
echo "ok a key gets certificates at once"

# --- later: what was there stays until then
knob '{"pending": 3}'
tessera slot renew seals now >/dev/null
[ "$(state now) $(certificates now)" = "active revoked valid pending" ] || fail "certificates are $(certificates now)"
restart_daemon
[ "$(certificates now)" = "revoked valid pending" ] || fail "after a restart certificates are $(certificates now)"
until [ "$(certificates now)" = "revoked revoked valid" ]; do
    tessera task run "$(task id)" >said 2>&1 || grep -q 'not issued it yet' said || fail "$(cat said)"
done
is_in_token now
enroll later >said
grep -q 'the certificate of hsm is not there yet' said || fail "a pending enrollment says: $(cat said)"
[ "$(state later) $(certificates later)" = "registered pending" ] || fail "$(tessera slot keys seals)"
# Who may not ask is no proof that it was denied.
knob '{"pending": 3, "fail": {"path": "/certificate-pickup/.*", "status": 403}}'
expect_failure any tessera task run "$(task id)"
[[ $output == *403* ]] || fail "$output"
[ "$(tessera --json task list | jq -r '.[0].next')" != 0 ] || fail "it is not asked for again: $(tessera task list)"
knob '{"pending": 3}'
until [ "$(certificates later)" = valid ]; do
    tessera task run "$(task id)" >said 2>&1 || grep -q 'not issued it yet' said || fail "$(cat said)"
done
[ "$(state later)" = active ] || fail "$(tessera slot keys seals)"
is_in_token later
tessera slot retire seals later --yes >/dev/null
no_knobs
echo "ok a pending certificate is put in its place when it has come"

# --- not at all: nothing is left, and what may have been issued is revoked
issued=$(counted issued)
knob '{"fail": {"path": "/certificate", "status": 422}}'
expect_failure any enroll never
no_knobs
[ -z "$(state never)" ] || fail "a refused key is left"
knob '{"wrong-key": 1}'
expect_failure any enroll never
[[ $output == *"for another key"* ]] || fail "$output"
no_knobs
[ -z "$(state never)" ] || fail "a key with another one's certificate is left"
knob '{"lose-answer": 1}'
enroll lost >/dev/null
no_knobs
[ "$(state lost) $(certificates lost)" = "active valid" ] || fail "$(tessera slot keys seals)"
is_in_token lost
[ "$(counted issued)" = $((issued + 2)) ] || fail "$(($(counted issued) - issued)) were issued"
tessera slot retire seals lost --yes >/dev/null
tessera slot retire seals now --yes >/dev/null
echo "ok a refusal leaves nothing, and a lost answer is settled"
