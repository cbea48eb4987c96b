#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a key in an HSM slot is enrolled by a template, serves TLS, is renewed, suspended, revoked and retired like a card
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
page=slots.md
module=$TESSERA_PKCS11_MODULE
softhsm=/usr/lib/softhsm/libsofthsm2.so
export PIN=271828
cd "$TESSERA_SANDBOX/tmp"
chmod 777 .
printf '%s\n' "$PIN" >pin
echo 'to be signed' >message
cat >openssl.cnf <<END
openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = pkcs11_engine
[pkcs11_engine]
engine_id = pkcs11
MODULE_PATH = $module
init = 1
END

# objects TOKEN TYPE: labels of what SoftHSM2 itself has
objects() {
    SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf pkcs11-tool --module "$softhsm" --token-label "$1" \
        --login --pin "$PIN" --list-objects --type "$2" 2>/dev/null | sed -n 's/^ *label: *//p' | sort | xargs
}
softhsm_key() {
    SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf pkcs11-tool --module "$softhsm" --token-label "$1" \
        --login --pin "$PIN" --keypairgen --key-type "$2" --id "$3" --label "$4" >/dev/null 2>&1
}
signs() {
    OPENSSL_CONF=openssl.cnf foreign openssl dgst -sha256 -engine pkcs11 -keyform engine \
        -sign "pkcs11:token=$1;object=$2;type=private" -out signature message >engine.log 2>&1
}
# key SLOT LABEL MEMBER
key() {
    tessera --json slot keys "$1" | jq -r --arg key "$2" --arg member "$3" \
        '.[] | select(.label == $key) | .[$member]'
}
certificates() {
    tessera --json card show "slot:$1/$2" | jq -r '[.certificates[].status] | join(" ")'
}
last_audit() {
    tessera --json audit list --newest --limit 1 --operation enroll | jq -r '.[0] | "\(.operation) \(.outcome)"'
}
certificate_in_token() {
    foreign pkcs11-tool --module "$module" --token-label "$1" --read-object --type cert --label "$2" \
        --output-file token.der >/dev/null 2>&1
    openssl x509 -inform DER -in token.der -out token.pem
}

# --- enroll ---
tessera slot add batch --create --keep-pin --pin-file pin >/dev/null
tessera connection certificate local --output ca.pem
guide_run $page "A key with a certificate" "tessera slot enroll" >listed
grep -q 'www .*ec-p256 .*active .*CN=www.example.org' listed || fail "keys are listed so: $(cat listed)"
[ "$(objects batch privkey) $(objects batch pubkey) $(objects batch cert)" = "www www www" ] ||
    fail "the token has $(objects batch privkey), $(objects batch pubkey), $(objects batch cert)"
[ "$(last_audit)" = "enroll ok" ] || fail "the audit trail says: $(last_audit)"
certificate_in_token batch www
openssl verify -CAfile ca.pem -purpose sslserver -verify_hostname www.example.org token.pem >/dev/null
guide_run $page "A key with a certificate" "tessera card certificate" >/dev/null
cmp www.pem token.pem
expect_output hsm- tessera card list --state active
expect_output 'hsm-key' tessera card show slot:batch/www
[[ $output != *PUK* ]] || fail "a key in a slot has no PUK: $output"
[ "$(key batch www uri)" = "pkcs11:token=batch;object=www;type=private" ] || fail "its URI: $(key batch www uri)"
expect_output www.example.org tessera card find www.example
echo "ok a key is made with a certificate beside it, and is a credential"
SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf pkcs11-tool --module "$softhsm" --token-label batch \
    --login --pin "$PIN" --list-objects --type privkey 2>/dev/null | grep -q 'Access:.*sensitive, .*never extractable' ||
    fail "the private key may leave the token"
echo "ok the private key never leaves the token"

# provider METHOD SIGNATURE ARGUMENT...: what a program asks for with the slot; $output is the answer
provider() {
    local method=$1 signature=$2
    shift 2
    output=$(DBUS_SYSTEM_BUS_ADDRESS=unix:path=$TESSERA_SOCKET busctl call org.tessera1 /org/tessera1 \
        org.tessera1.Provider "$method" "$signature" "$(tessera --json slot show batch | jq .number)" "$@" 2>&1) || true
}
for object in 1 2 3; do
    provider DestroyObject uu $object
    [[ $output == *"an enrolled one"* ]] || fail "destroying object $object says: $output"
    provider CopyObject 'uua(uay)' $object 0
    [[ $output == *"an enrolled one"* ]] || fail "copying object $object says: $output"
    provider SetAttributes 'uua(uay)' $object 1 3 2 97 98
    [[ $output == *"an enrolled one"* ]] || fail "labelling object $object says: $output"
done
mapfile -t id < <(key batch www id | sed 's/../0x&\n/g' | grep .)
provider CreateObject 'ua(uay)' 3 0 8 0 0 0 0 0 0 0 0 1 1 1 258 16 "${id[@]}"
[[ $output == *"that of an enrolled key"* ]] || fail "another object with the key's CKA_ID: $output"
echo "ok programs cannot change, copy, destroy or supplement an enrolled key"

# --- a TLS server with it ---
start_server() {
    rm -f server.log # the former server's
    OPENSSL_CONF=openssl.cnf exec_foreign openssl s_server -accept 127.0.0.1:0 -cert "$1" -engine pkcs11 \
        -keyform engine -key 'pkcs11:token=batch;object=www;type=private' -www >server.log 2>&1 &
    server=$!
    wait_for 30 is_accepting
}
# The whole line is there: openssl writes it in pieces.
is_accepting() {
    port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' server.log)
    [ -n "$port" ] && [ -z "$(tail -c 1 server.log)" ]
}
stop_server() {
    kill $server
    wait $server 2>/dev/null || true
}
page_comes() {
    curl --silent --show-error --fail --cacert ca.pem --resolve "www.example.org:$port:127.0.0.1" \
        --output answer "https://www.example.org:$port/" 2>curl.log
}
start_server www.pem
page_comes || fail "curl says: $(cat curl.log), the server: $(cat server.log)"
echo "ok a TLS server uses the key, and curl trusts its certificate"

# --- renew under its eyes ---
first=$(key batch www id)
cp www.pem first.pem
guide_run $page "A new certificate" "tessera slot renew batch www$" >/dev/null
[ "$(key batch www id)" = "$first" ] || fail "the key has become another one"
[ "$(objects batch cert)" = www ] || fail "the token has the certificates $(objects batch cert)"
[ "$(certificates batch www)" = "revoked valid" ] || fail "certificates are $(certificates batch www)"
! cmp -s www.pem first.pem || fail "the certificate is the same"
certificate_in_token batch www
cmp www.pem token.pem
page_comes || fail "after the renewal curl says: $(cat curl.log)"
tessera connection crl local --output crl.pem
openssl verify -CAfile ca.pem -CRLfile crl.pem -crl_check www.pem >/dev/null
expect_failure any openssl verify -CAfile ca.pem -CRLfile crl.pem -crl_check first.pem
echo "ok a new certificate for the same key: the server goes on, the older one is superseded"
guide_run $page "A new certificate" "tessera slot renew batch www --new-key" >/dev/null
[ "$(key batch www id)" != "$first" ] || fail "the key is the same"
[ "$(objects batch privkey) $(objects batch pubkey) $(objects batch cert)" = "www www www" ] ||
    fail "the token has $(objects batch privkey), $(objects batch pubkey), $(objects batch cert)"
[ "$(certificates batch www)" = "revoked revoked valid" ] || fail "certificates are $(certificates batch www)"
stop_server
tessera card certificate slot:batch/www hsm --output www.pem
start_server www.pem
page_comes || fail "with the new key curl says: $(cat curl.log), the server: $(cat server.log)"
echo "ok another key takes the place of the old one"

# --- suspend, resume, revoke ---
guide_run $page "A key with a certificate" "tessera card show" >/dev/null
tessera card suspend slot:batch/www >/dev/null
[ "$(certificates batch www)" = "revoked revoked on-hold" ] || fail "certificates are $(certificates batch www)"
! page_comes || fail "a suspended key serves"
! signs batch www || fail "a suspended key signs"
tessera card resume slot:batch/www >/dev/null
page_comes || fail "after the suspension curl says: $(cat curl.log)"
echo "ok a suspended key is refused to a program that has it loaded, until it is resumed"
for verb in "activate --new-pin-file pin" "unblock --new-pin-file pin" "reissue" "rotate" "offline-unblock --yes"; do
    # shellcheck disable=SC2086
    expect_failure any tessera card ${verb%% *} slot:batch/www ${verb#"${verb%% *}"}
    [[ $output == *"a key in an HSM slot is in no reader and has no PIN"* ]] || fail "$verb says: $output"
done
expect_failure any tessera card change-pin slot:batch/www --pin-file pin --new-pin-file pin
[[ $output == *"in no reader"* ]] || fail "change-pin says: $output"
echo "ok what is for cards says so"
tessera card revoke slot:batch/www --reason keyCompromise --yes >/dev/null
! signs batch www || fail "a revoked key signs"
expect_failure any tessera slot renew batch www
[[ $output == *"the key is revoked"* ]] || fail "renewing a revoked key says: $output"
stop_server
guide_run $page "A new certificate" "tessera slot retire" >/dev/null
[ -z "$(objects batch privkey)$(objects batch pubkey)$(objects batch cert)" ] || fail "something of the key is left"
expect_output hsm- tessera card list --state retired
echo "ok a revoked key is refused, and a retired one is gone"

# --- many at once ---
guide_run $page "Many keys at once" "cat"
guide_run $page "Many keys at once" "tessera slot batch" >said
grep -q '2 of 2 rows are enrolled' said || fail "the batch says: $(cat said)"
guide_run $page "Many keys at once" "head" >results
[ "$(grep -c ',enrolled,' results)" = 2 ] || fail "the results are: $(cat results)"
[ "$(objects batch privkey) $(objects batch cert)" = "mail shop mail shop" ] || fail "the token has $(objects batch privkey)"
signs batch shop || fail "a key of a batch does not sign: $(cat engine.log)"
tessera slot retire batch mail --yes >/dev/null
tessera slot retire batch shop --yes >/dev/null
echo "ok keys are enrolled by the rows of a table"

# --- keys that are there; keys that stay ---
softhsm_key batch rsa:2048 05 old
tessera slot test batch >/dev/null
guide_lines $page "A key with a certificate" "{" | jq '.keys[0].algorithm = "rsa-2048"' | tessera template add - >/dev/null
tessera slot enroll batch old --existing-key --template intranet-server --holder dns=intra.example.org \
    --holder ip=192.0.2.7 >/dev/null
tessera card certificate slot:batch/old hsm --output old.pem
openssl verify -CAfile ca.pem -verify_ip 192.0.2.7 old.pem >/dev/null
tessera slot retire batch old --keep-key --yes >/dev/null
[ "$(objects batch privkey) $(objects batch cert)" = "old old" ] || fail "the key is gone"
! signs batch old || fail "a retired key signs"
tessera slot enroll batch old --existing-key --template intranet-server --holder dns=intra.example.org \
    --holder ip=192.0.2.7 >/dev/null
signs batch old || fail "a key that is enrolled again does not sign: $(cat engine.log)"
[ "$(certificates batch old)" = "revoked valid" ] || fail "certificates are $(certificates batch old)"
tessera slot retire batch old --keep-key --yes >/dev/null
tessera card unregister hsm-05 --yes >/dev/null
signs batch old || fail "a key that was given up does not sign: $(cat engine.log)"
echo "ok an existing key is enrolled, kept, enrolled again and given up"

# --- a slot whose PIN is the caller's ---
tessera slot add own --create --pin-file pin >/dev/null
echo 999999 >wrong
expect_failure any tessera slot enroll own tls --template tls-server --holder dns=own.example.org --pin-file wrong
[[ $output == *PIN* ]] || fail "a wrong PIN says: $output"
tessera slot enroll own tls --template tls-server --holder dns=own.example.org --pin-file pin >/dev/null
tessera slot renew own tls --new-key --pin-file pin >/dev/null
tessera slot retire own tls --yes --pin-file pin >/dev/null
[ -z "$(objects own privkey)$(objects own pubkey)$(objects own cert)" ] || fail "something of the key is left"
echo "ok the PIN of the caller is enough for the time of the command"

# --- what cannot be ---
refuses() {
    local words=$1
    shift
    expect_failure any tessera slot "$@"
    [[ $output == *"$words"* ]] || fail "slot $* says: $output"
    [ -z "$(objects batch pubkey | sed 's/old//')" ] || fail "after slot $* something is left"
}
refuses 'no template "nothing"' enroll batch a --template nothing --holder dns=a.example.org
refuses '"dns" is missing' enroll batch a --template tls-server
refuses "is for cards" enroll batch a --template employee --holder name=Ada
refuses "label" enroll batch old --template tls-server --holder dns=a.example.org
refuses "no private key with the label" enroll batch a --existing-key --template tls-server --holder dns=a.example.org
refuses "wants a key of algorithm" enroll batch old --existing-key --template tls-server --holder dns=a.example.org
refuses "has 1 to" enroll batch "" --template tls-server --holder dns=a.example.org
refuses "no slot" enroll nothing a --template tls-server --holder dns=a.example.org
refuses "no enrolled key" renew batch a
refuses "no enrolled key" retire batch a --yes
refuses "no dns for a certificate" enroll batch a --template tls-server --holder "dns=not a name"
[ "$(tessera --json card list | jq '[.[] | select(.card_type == "hsm-key" and .state != "retired" and .state != "unregistered")] | length')" = 0 ] ||
    fail "a failed enrollment has left a credential"
echo "ok what cannot be enrolled leaves nothing behind"
