#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a key in an HSM slot gets a certificate of Microsoft CS by tesserad's own account, and proves tesserad to it by TLS
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/ms-cs.sh
source "$TESSERA_SOURCE/tests/lib/ms-cs.sh"
cd "$TESSERA_SANDBOX/tmp"
start_ms_cs 8443
ms_cs_commands
add_ms_cs 8443
ms_cs_revocation <lab.json >lab-revokes.json
tessera connection update lab-revokes.json >/dev/null
printf '271828\n' >pin
tessera slot add seals --create --keep-pin --pin-file pin >/dev/null
tessera template add - >/dev/null <<'END'
{"name": "web", "card-type": "hsm-key", "keys": [{"algorithm": "rsa-2048", "certificate":
  {"authority": "lab", "profile": "WebServer", "subject": [["CN", "{name}"], ["O", "Lab"]], "san": {"dns": "{name}"}}}]}
END

enroll() {
    tessera slot enroll seals "$1" --template web --holder name=www.lab.test
}
certificates() {
    tessera --json card show "slot:seals/$1" | jq -r '[.certificates[].status] | join(" ")'
}
state() {
    tessera --json slot keys seals | jq -r --arg key "$1" '.[] | select(.label == $key).state'
}
is_in_token() {
    ms_cs '{"certificates": true}' | jq -j '.[-1].pem' >issued.pem
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --token-label seals --read-object --type cert --label "$1" \
        --output-file token.der >/dev/null 2>&1 || fail "no certificate in the token"
    openssl x509 -inform DER -in token.der | cmp - <(openssl x509 -in issued.pem) || fail "the token has another certificate"
}

# --- at once, anew, and with the names of the request
enroll now >/dev/null
[ "$(state now) $(certificates now)" = "active valid" ] || fail "$(tessera slot keys seals)"
is_in_token now
openssl x509 -in issued.pem -noout -subject -ext subjectAltName >said
grep -q 'CN = www.lab.test, O = Lab' said || fail "$(cat said)"
grep -q 'DNS:www.lab.test' said || fail "$(cat said)"
tessera slot renew seals now >/dev/null
[ "$(certificates now)" = "revoked valid" ] || fail "certificates are $(certificates now)"
is_in_token now
[ "$(ms_cs_has issued) $(ms_cs_has revoked)" = "1 1" ] || fail "the old certificate is not revoked"

# --- the CA refuses, gives another key's certificate, or says nothing: no key is left, and none is asked for twice
asked=$(ms_cs_counted issue-posts)
ms_cs_knob '{"refuse": {"code": '$((0x80094012))'}}'
expect_failure any enroll never
[[ $output == *"lacks the right Enroll"* ]] || fail "$output"
ms_cs_no_knobs
ms_cs_knob '{"wrong-key": 1}'
expect_failure any enroll never
[[ $output == *"for another key"* ]] || fail "$output"
ms_cs_no_knobs
ms_cs_knob '{"lose-answer": 1}'
expect_failure any enroll never
[[ $output == *"is not repeated"* ]] || fail "$output"
ms_cs_no_knobs
[ -z "$(state never)" ] || fail "a key without its certificate is left"
[ $(($(ms_cs_counted issue-posts) - asked)) = 3 ] || fail "something was asked for twice"
[ "$(tessera --json task list | jq length)" = 2 ] || fail "$(tessera task list)"
tessera slot retire seals now --yes >/dev/null

# --- such a key proves tesserad where client certificates are asked for
printf '4711-0815\n' >slot-pin
tessera slot add hsm --create --keep-pin --pin-file slot-pin >/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out hsm.key 2>/dev/null
SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf softhsm2-util --import hsm.key --token hsm --label tls --id 01 --pin 4711-0815 >/dev/null
tessera slot test hsm >/dev/null
openssl req -new -x509 -days 1 -key hsm.key -subj /CN=hsm -out hsm.crt 2>/dev/null
rm hsm.key
start_ms_cs 8444 --authentication certificate --client-ca "$PWD/hsm.crt"
ms_cs_document 8444 | sed 's/_UsernamePassword/_Certificate/' | jq 'del(.user) | .name = "by-hsm" |
    .authentication = "client-certificate" | .["client-key"] = "pkcs11:token=hsm;object=tls"' >by-hsm.json
tessera connection add by-hsm.json >/dev/null
tessera connection secret by-hsm client-certificate hsm.crt >/dev/null
expect_output "accepts the client certificate" tessera connection test by-hsm
stop_ms_cs 8443
stop_ms_cs 8444
