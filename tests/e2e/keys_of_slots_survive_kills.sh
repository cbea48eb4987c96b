#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a daemon that is killed before or after any write of its store finishes or takes back what it did to a key in a slot
# time limit: 900
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
# shellcheck source=tests/lib/kill-at-write.sh
source "$TESSERA_SOURCE/tests/lib/kill-at-write.sh"
PIN=271828
softhsm=/usr/lib/softhsm/libsofthsm2.so
printf '%s\n' "$PIN" >pin

# What SoftHSM2 itself has, by class: "cert privkey pubkey" for a whole key.
objects() {
    local type
    for type in cert privkey pubkey; do
        SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf pkcs11-tool --module "$softhsm" --token-label web \
            --login --pin "$PIN" --list-objects --type $type 2>/dev/null | sed -n "s/^ *label: *tls\$/$type/p"
        SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf pkcs11-tool --module "$softhsm" --token-label web \
            --login --pin "$PIN" --list-objects --type $type 2>/dev/null | sed -n "s/^ *label: *tls (new)\$/new-$type/p"
    done | xargs
}
keys_in() {
    tessera --json card list --state "$1" | jq '[.[] | select(.card_type == "hsm-key")] | length'
}
# The opening of slots after a start tidies, and takes a moment.
is_settled() {
    tessera --json slot show web | jq -e .available >/dev/null && [ "$(keys_in registered)" = 0 ] &&
        [[ " $1 " == *" $(keys_in active)$(objects | tr -d ' ') "* ]]
}
valid_certificates() {
    tessera --json card list | jq -r '.[] | select(.card_type == "hsm-key") | .number' | while read -r number; do
        tessera --json card show "$number" | jq -r '.certificates[] | select(.status == "valid") | .serial'
    done | wc -l
}
whole=1certprivkeypubkey
signs() {
    echo data >data
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --token-label web --label tls --sign \
        --mechanism ECDSA-SHA256 --input-file data --output-file signature >sign.log 2>&1 ||
        fail "no signature after $where: $(cat sign.log)"
    [ "$(valid_certificates)" = 1 ] || fail "$(valid_certificates) certificates are valid after $where"
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --token-label web --label tls --read-object --type cert \
        --output-file token.der >sign.log 2>&1 || fail "no certificate after $where: $(cat sign.log)"
    tessera card certificate slot:web/tls hsm --der --output store.der
    cmp token.der store.der || fail "another certificate in the token than in the store after $where"
}
settles() {
    (wait_for 20 is_settled "$1") || fail "after $where: active $(keys_in active), registered $(keys_in registered), token: $(objects)"
}

enroll() {
    tessera slot enroll web tls --template tls-server --holder dns=www.example.org
}
renew() {
    tessera slot renew web tls
}
renew_key() {
    tessera slot renew web tls --new-key
}
retire() {
    tessera slot retire web tls --yes
}
finish_enroll() {
    settles "0 $whole"
    if [ "$(keys_in active)" = 0 ]; then
        [ "$(valid_certificates)" = 0 ] || fail "a certificate without a key is valid after $where"
        enroll >/dev/null || fail "no second enrollment after $where"
    fi
    signs
    retire >/dev/null || fail "no retirement after $where"
    settles 0
}
finish_renew() {
    settles "$whole"
    signs
}
finish_renew_key() {
    settles "$whole"
    signs
}
finish_retire() {
    settles "0 $whole"
    [ "$(keys_in active)" = 0 ] || retire >/dev/null || fail "no second retirement after $where"
    settles 0
    [ "$(valid_certificates)" = 0 ] || fail "a certificate without a key is valid after $where"
    enroll >/dev/null || fail "no enrollment after $where"
}

tessera slot add web --create --keep-pin --pin-file pin >/dev/null
restart_daemon
wait_for 20 is_settled 0
walk enroll 8
enroll >/dev/null
walk renew 6
walk renew_key 8
walk retire 6
