#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# pkcs11-tool, GnuTLS and NSS make keys in an HSM's token through the daemon, and OpenSSL agrees with what they do
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
module=$TESSERA_PKCS11_MODULE
export PIN=271828 GNUTLS_PIN=271828
iv=000102030405060708090a0b0c0d0e0f
cd "$TESSERA_SANDBOX/tmp"
chmod 777 .
printf '%s\n' "$PIN" >pin
printf 'sixteen bytes...and some that are left over\n' >message

uses() {
    foreign pkcs11-tool --module "$module" --token-label web --login --pin "$PIN" "$@"
}
quietly() {
    uses "$@" >tool.log 2>&1 || fail "pkcs11-tool $*: $(cat tool.log)"
}
# The value of the secret key of that id.
value_of() {
    uses --list-objects --type secrkey 2>/dev/null |
        awk -v id="$1" '/^Secret/ { value = "" } /VALUE:/ { value = $2 } /ID:/ && $2 == id { print value }'
}
# has CLASS LABEL: the token has such an object.
has() {
    uses --list-objects --type "$1" 2>/dev/null | grep -q "label: *$2$"
}

guide_run slots.md "A token of SoftHSM2" >/dev/null

# --- key pairs ---
id=20
for key in rsa:2048 EC:prime256v1 EC:edwards25519; do
    id=$((id + 1))
    quietly --keypairgen --key-type "$key" --id $id --label "pair-$id"
done
quietly --read-object --type pubkey --id 21 --output-file 21.der
quietly --read-object --type pubkey --id 22 --output-file 22.der
quietly --sign --id 21 --mechanism SHA256-RSA-PKCS --input-file message --output-file signature
openssl dgst -sha256 -verify 21.der -keyform DER -signature signature message >/dev/null
echo "ok an RSA key that a program made signs"
quietly --sign --id 22 --mechanism ECDSA-SHA384 --signature-format openssl --input-file message \
    --output-file signature
openssl dgst -sha384 -verify 22.der -keyform DER -signature signature message >/dev/null
echo "ok an EC key that a program made signs"
quietly --sign --id 23 --mechanism EDDSA --input-file message --output-file signature
expect_output 'Signature is valid' uses --verify --id 23 --mechanism EDDSA --input-file message --signature-file signature
echo "ok an Edwards key that a program made signs, and the module verifies"

# --- paddings of RSA, by hash functions that SoftHSM2 does not know there ---
for hash in sha1 sha256 sha512; do
    openssl pkeyutl -encrypt -pubin -inkey 21.der -keyform DER -in message -out encrypted \
        -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:$hash
    name=${hash/sha/SHA} && name=${name/SHA1/SHA-1}
    quietly --decrypt --id 21 --mechanism RSA-PKCS-OAEP --hash-algorithm "$name" --mgf "MGF1-${name/-/}" \
        --input-file encrypted --output-file decrypted
    cmp message decrypted
done
echo "ok OAEP is taken off with hash functions that the token does not know"

# --- derivation ---
openssl ecparam -name prime256v1 -genkey -noout -out peer.pem
openssl pkey -in peer.pem -pubout -outform DER -out peer.der
quietly --derive --mechanism ECDH1-DERIVE --id 22 --input-file peer.der --output-file secret
openssl pkeyutl -derive -inkey peer.pem -peerkey 22.der -peerform DER -out expected
cmp secret expected
echo "ok a derived secret is what OpenSSL derives"

# --- secret keys: one whose value OpenSSL may know, and one that wraps it ---
quietly --keygen --key-type AES:32 --id 31 --label data --extractable
quietly --keygen --key-type AES:32 --id 32 --label wrapping
quietly --keygen --key-type GENERIC:32 --id 33 --label mac --extractable
value=$(value_of 31)
[ ${#value} = 64 ] || fail "the value of an extractable key is '$value'"
quietly --encrypt --id 31 --mechanism AES-CBC-PAD --iv $iv --input-file message --output-file encrypted
openssl enc -d -aes-256-cbc -K "$value" -iv $iv -in encrypted -out decrypted
cmp message decrypted
openssl enc -aes-256-cbc -K "$value" -iv $iv -in message -out encrypted
quietly --decrypt --id 31 --mechanism AES-CBC-PAD --iv $iv --input-file encrypted --output-file decrypted
cmp message decrypted
echo "ok AES-CBC is OpenSSL's, both ways"
head --bytes 3200000 /dev/zero | openssl enc -aes-256-cbc -K "$value" -iv $iv -out encrypted
quietly --decrypt --id 31 --mechanism AES-CBC-PAD --iv $iv --input-file encrypted --output-file decrypted
head --bytes 3200000 /dev/zero | cmp - decrypted
echo "ok three megabytes are decrypted in parts"
quietly --sign --id 33 --mechanism SHA256-HMAC --input-file message --output-file mac
key=$(value_of 33)
openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary -out expected message
cmp mac expected
expect_output 'Signature is valid' uses --verify --id 33 --mechanism SHA256-HMAC --input-file message --signature-file mac
printf x >>message
expect_output 'Invalid signature' uses --verify --id 33 --mechanism SHA256-HMAC --input-file message --signature-file mac
echo "ok an HMAC is OpenSSL's, and a wrong one is found"
quietly --wrap --id 32 --mechanism AES-KEY-WRAP --application-id 31 --output-file wrapped
quietly --unwrap --id 32 --mechanism AES-KEY-WRAP --input-file wrapped --key-type AES: --application-id 34 \
    --application-label unwrapped --extractable
[ "$(value_of 34)" = "$value" ] ||
    fail "an unwrapped key has another value"
expect_failure any uses --wrap --id 31 --mechanism AES-KEY-WRAP --application-id 32 --output-file wrapped
[[ $output == *CKR_KEY_UNEXTRACTABLE* ]] || fail "wrapping a key that stays says: $output"
echo "ok a key is wrapped and unwrapped, and one that may not leave is not"

# --- other objects ---
quietly --write-object message --type data --label note
quietly --read-object --type data --label note --output-file copy
cmp message copy
quietly --delete-object --type data --label note
! has data note || fail "a deleted object is still there"
quietly --delete-object --type secrkey --id 34
! has secrkey unwrapped || fail "a deleted key is still there"
has secrkey data || fail "another key has gone, too"
echo "ok objects are written, read and deleted"

# --- GnuTLS ---
url=$(p11tool --provider "$module" --list-token-urls | grep 'token=web')
foreign p11tool --provider "$module" --login --batch --generate-ecc --curve secp256r1 --label gnutls --id 41 \
    --outfile gnutls.pem "$url" >tool.log 2>&1 || fail "p11tool: $(cat tool.log)"
foreign p11tool --provider "$module" --login --batch --test-sign "$url;object=gnutls;type=private" >tool.log 2>&1 ||
    fail "p11tool: $(cat tool.log)"
openssl req -x509 -newkey rsa:2048 -nodes -keyout brought.pem -out certificate.pem -subj /CN=brought -days 2 2>/dev/null
foreign p11tool --provider "$module" --login --batch --write --load-privkey brought.pem --label brought --id 42 "$url" \
    >tool.log 2>&1 || fail "p11tool: $(cat tool.log)"
foreign p11tool --provider "$module" --login --batch --write --load-certificate certificate.pem --label brought --id 42 \
    "$url" >tool.log 2>&1 || fail "p11tool: $(cat tool.log)"
quietly --sign --id 42 --mechanism SHA256-RSA-PKCS --input-file message --output-file signature
openssl x509 -in certificate.pem -noout -pubkey >brought.pub
openssl dgst -sha256 -verify brought.pub -signature signature message >/dev/null
echo "ok GnuTLS makes a key, and brings one with its certificate"

# --- NSS ---
mkdir nss
certutil -N -d sql:nss --empty-password
foreign modutil -dbdir sql:nss -force -add tessera -libfile "$module" >tool.log 2>&1
for kind in 'rsa -g 2048' 'ec -q nistp256'; do
    # shellcheck disable=SC2086
    foreign certutil -S -d sql:nss -h web -f pin -n "nss-${kind%% *}" -s "CN=nss ${kind%% *}" -x -t ,, -k $kind \
        -z message -m ${#kind} >tool.log 2>&1 || fail "certutil: $(cat tool.log)"
done
foreign certutil -L -d sql:nss -h web -f pin >tool.log 2>&1
grep -q '^web:nss-rsa .*u,u,u' tool.log && grep -q '^web:nss-ec .*u,u,u' tool.log ||
    fail "certutil lists: $(cat tool.log)"
echo "ok NSS makes keys and their certificates"

# --- the daemon saw it all ---
made=$(tessera --json audit list --newest --limit 200 |
    jq -r '[.[] | select((.operation | startswith("generate-key")) and .outcome == "ok")] | length')
[ "$made" = 9 ] || fail "the audit trail has $made keys that were made, not 9"
echo "ok the audit trail has the keys that were made"
