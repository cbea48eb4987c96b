#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# each mechanism that the module offers for a card's keys gives what OpenSSL takes
# sandbox: --cards blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"

cd "$TESSERA_SANDBOX/tmp"
pin=271828
printf '%s\n' "$pin" >pin
printf 'to be signed' >message

# issue READER TEMPLATE
issue() {
    wait_for 10 tessera reader show "$1" >/dev/null
    tessera card issue --reader "$1" --template "$2" --holder "name=Ada Lovelace" \
        --holder email=ada@example.org --holder upn=ada@example.org >/dev/null
    tessera card activate "yubikey-1000000$1" --new-pin-file pin >/dev/null
}

# tool READER ARGUMENTS: slots are numbered as readers are
tool() {
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --slot "$1" --login --pin "$pin" "${@:2}"
}

# public_key READER ID FILE
public_key() {
    tool "$1" --read-object --type cert --id "$2" --output-file certificate.der >/dev/null
    openssl x509 -inform DER -in certificate.der -noout -pubkey >"$3"
}

digest_file() { # DIGEST: of the message
    openssl dgst "-$1" -binary message >digest
}

sign() { # READER ID MECHANISM FILE [ARGUMENT...]
    rm -f signature
    tool "$1" --id "$2" --sign --mechanism "$3" --input-file "$4" --output-file signature "${@:5}" \
        >sign.log 2>&1 || fail "signing with $3 and key $2: $(cat sign.log)"
}

verified() { # NAME ARGUMENT...: what was signed last
    openssl dgst "${@:2}" -signature signature -verify key.pem message >verify.log 2>&1 ||
        fail "OpenSSL refuses a signature with $1: $(cat verify.log)"
    echo "ok $1 satisfies OpenSSL"
}

padded_signatures() { # ID
    local hash
    public_key 1 "$1" key.pem
    for hash in 1 224 256 384 512; do
        sign 1 "$1" "SHA$hash-RSA-PKCS" message
        verified "SHA$hash-RSA-PKCS and key $1" "-sha$hash"
        sign 1 "$1" "SHA$hash-RSA-PKCS-PSS" message
        verified "SHA$hash-RSA-PKCS-PSS and key $1" "-sha$hash" -sigopt rsa_padding_mode:pss \
            -sigopt rsa_pss_saltlen:digest
    done
}

bare_signatures() {
    public_key 1 01 key.pem
    digest_file sha256
    sign 1 01 RSA-PKCS-PSS digest --hash-algorithm SHA256 --mgf MGF1-SHA256 --salt-len 32
    verified RSA-PKCS-PSS -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32
    sign 1 01 RSA-PKCS message
    openssl pkeyutl -verifyrecover -pubin -inkey key.pem -in signature -out recovered
    cmp recovered message || fail "RSA-PKCS signed something else"
    head -c 255 /dev/zero | tr '\0' 'x' >block
    sign 1 01 RSA-X-509 block
    openssl rsautl -verify -raw -pubin -inkey key.pem -in signature 2>/dev/null | tail -c 255 |
        cmp - block || fail "RSA-X-509 signed something else"
}

decrypt() { # MECHANISM TAIL-BYTES [ARGUMENT...]
    tool 1 --id 03 --decrypt --mechanism "$1" --input-file cipher --output-file plain "${@:3}" \
        >decrypt.log 2>&1 || fail "decrypting with $1: $(cat decrypt.log)"
    tail -c "$2" plain | cmp - message || fail "$1 gave another text"
    echo "ok $1 ${*:3} opens what OpenSSL encrypted"
}

decryptions() {
    local length hash
    length=$(wc -c <message)
    public_key 1 03 key.pem
    openssl pkeyutl -encrypt -pubin -inkey key.pem -in message -out cipher
    decrypt RSA-PKCS "$length"
    decrypt RSA-X-509 "$length"
    for hash in -1 256 384; do
        openssl pkeyutl -encrypt -pubin -inkey key.pem -in message -out cipher \
            -pkeyopt rsa_padding_mode:oaep -pkeyopt "rsa_oaep_md:sha${hash#-}" \
            -pkeyopt "rsa_mgf1_md:sha${hash#-}"
        decrypt RSA-PKCS-OAEP "$length" --hash-algorithm "SHA$hash" --mgf "MGF1-SHA${hash#-}"
    done
}

curve_signatures() { # ID
    local hash
    public_key 2 "$1" key.pem
    for hash in 1 224 256 384 512; do
        digest_file "sha$hash"
        sign 2 "$1" ECDSA digest --signature-format openssl
        verified "ECDSA of SHA$hash and key $1" "-sha$hash"
        sign 2 "$1" "ECDSA-SHA$hash" message --signature-format openssl
        verified "ECDSA-SHA$hash and key $1" "-sha$hash"
    done
}

agreement() { # MECHANISM
    public_key 2 03 key.pem
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out peer.pem
    openssl pkey -in peer.pem -pubout -outform DER -out peer.der
    openssl pkeyutl -derive -inkey peer.pem -peerkey key.pem -out expected
    tool 2 --id 03 --derive --mechanism "$1" --input-file peer.der --output-file secret >/dev/null 2>&1
    cmp secret expected || fail "$1 gave another secret"
    echo "ok $1 agrees with OpenSSL"
}

issue 1 employee
issue 2 ec
padded_signatures 01
padded_signatures 02
bare_signatures
decryptions
curve_signatures 01
curve_signatures 02
curve_signatures 04
agreement ECDH1-DERIVE
agreement ECDH1-COFACTOR-DERIVE
