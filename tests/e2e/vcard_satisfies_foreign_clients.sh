#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the virtual card is a PIV card to programs that nobody here wrote
# sandbox: --no-daemon --cards blank,nist,old,factory --vcard-option 1:--management-algorithm=aes256
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

# The sandbox's variables by these names; shellcheck cannot see where they come from.
reader=${VCARD_READER_0:?}
nist_reader=${VCARD_READER_1:?}
old_reader=${VCARD_READER_2:?}
newer_reader=${VCARD_READER_3:?}
factory_key=010203040506070801020304050607080102030405060708
other_key=0102030405060708010203040506070801020304050607aa
opensc=$(find /usr/lib -name opensc-pkcs11.so | head -n 1)
ykcs11=$(find /usr/lib -name 'libykcs11.so*' | head -n 1)
issuer_key=issuer.key

# Each tool against card 0, unless it says otherwise.
piv() {
    yubico-piv-tool --reader "$reader" "$@"
}
manage() {
    ykman --reader "$reader" piv "$@"
}

tell() {
    echo "== $*"
}

# admin READER KEY ALGORITHM ARGUMENT...: piv-tool with the management key; its output in admin.log.
admin() {
    local reader=$1 key=$2 algorithm=$3
    shift 3
    sed 's/../&:/g; s/:$//' <<<"$key" >management.key
    PIV_EXT_AUTH_KEY=$PWD/management.key piv-tool --reader "$reader" -A "M:9B:$algorithm" "$@" \
        >admin.log 2>&1 || fail "piv-tool: $(cat admin.log)"
}

# admin_load CARD ...: the same for loading a file. This version's exit status is then the length
# that it wrote; the APDU log tells the truth.
admin_load() {
    local log=VCARD_LOG_$1
    shift
    (admin "$@") 2>/dev/null || true
    expect_output "00 DB 3F FF" tail -n 1 "${!log}"
    expect_output "SW=9000" tail -n 1 "${!log}"
}

# certify SLOT PUBLIC-KEY: writes SLOT.pem, a certificate from our own issuer.
certify() {
    openssl x509 -new -force_pubkey "$2" -subj "/CN=slot $1" -CA issuer.pem -CAkey "$issuer_key" \
        -days 2 -out "$1.pem" 2>/dev/null
}

# slot_index MODULE READER: where pkcs11-tool finds the reader.
slot_index() {
    pkcs11-tool --module "$1" --list-slots 2>/dev/null | grep '^Slot ' | grep -nF "$2" |
        awk -F: '{ print $1 - 1 }'
}

tell "an issuer for certificates"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$issuer_key" \
    -out issuer.pem -subj /CN=issuer -days 3 2>/dev/null

tell "opensc-tool: ATR and name"
expect_output 3b:fd:13:00:00:81:31:fe:15:80:73:c0:21:c0:57:59:75:62:69:4b:65:79:40 \
    opensc-tool --reader "$reader" --atr
expect_output "Personal Identity Verification Card" opensc-tool --reader "$reader" --name

tell "yubico-piv-tool: status of a blank card"
expect_output "PIN tries left:	3" piv -a status
expect_output "Version:	5.4.3" piv -a status
expect_output "Serial Number:	10000001" piv -a status

tell "yubico-piv-tool: generate in every slot, import certificates, sign, decipher, agree"
while read -r slot algorithm test; do
    expect_output "Successfully generated" piv -a generate -s "$slot" -A "$algorithm" -o "$slot.pub"
    certify "$slot" "$slot.pub"
    expect_output "Successfully imported" piv -a import-certificate -s "$slot" -i "$slot.pem"
    expect_output "uccess" piv -a verify-pin -P 123456 -a "$test" -s "$slot" -i "$slot.pem"
    piv -a read-certificate -s "$slot" | cmp - <(openssl x509 -in "$slot.pem")
done <<'END'
9a RSA2048 test-signature
9c ECCP256 test-signature
9d RSA1024 test-decipher
9e ECCP384 test-signature
82 ECCP256 test-decipher
95 ECCP384 test-decipher
END

# Version 2.2.0, Debian 12's, fails before it asks the card where OpenSSL is 3; others must work.
tell "yubico-piv-tool: request-certificate"
seen=$(wc -l <"${VCARD_LOG_0:?}")
if piv -a verify-pin -P 123456 -a request-certificate -s 9a -S /CN=request/ -i 9a.pub -o 9a.csr \
    >request.log 2>&1; then
    openssl req -in 9a.csr -noout -verify
else
    ! tail -n "+$((seen + 1))" "$VCARD_LOG_0" | grep ' 87 ' ||
        fail "the card refused: $(cat request.log)"
    echo "   this version cannot, before it asks the card: $(tail -n 1 request.log)"
fi

tell "ykman: request and self-signed certificate with keys of the card"
manage certificates request --pin 123456 --subject CN=request 9a 9a.pub request.csr
expect_output "verify OK" openssl req -in request.csr -noout -verify
manage certificates generate --pin 123456 --management-key "$factory_key" --subject CN=self 9c 9c.pub
manage certificates export 9c self.pem
expect_output "self.pem: OK" openssl verify -CAfile self.pem self.pem
expect_output "Successfully imported" piv -a import-certificate -s 9c -i 9c.pem

tell "yubico-piv-tool: attest, and the chain holds"
piv -a attest -s 9a >attest.pem
piv -a read-certificate -s f9 >attester.pem
expect_output "attest.pem: OK" openssl verify -CAfile attester.pem attest.pem
cmp <(openssl x509 -in attest.pem -noout -pubkey) 9a.pub
expect_output "1.3.6.1.4.1.41482.3.8" openssl x509 -in attest.pem -noout -text

tell "yubico-piv-tool: import keys of our own"
for kind in "RSA2048 rsa_keygen_bits:2048 RSA" "ECCP256 ec_paramgen_curve:P-256 EC" \
    "ECCP384 ec_paramgen_curve:P-384 EC"; do
    read -r algorithm parameter family <<<"$kind"
    openssl genpkey -algorithm "$family" -pkeyopt "$parameter" -out own.key 2>/dev/null
    openssl pkey -in own.key -pubout -out own.pub
    certify 83 own.pub
    expect_output "Successfully imported" piv -a import-key -s 83 -A "$algorithm" -i own.key
    expect_output "Successfully imported" piv -a import-certificate -s 83 -i 83.pem
    expect_output "uccess" piv -a verify-pin -P 123456 -a test-signature -s 83 -i 83.pem
done
expect_failure any piv -a attest -s 83

tell "yubico-piv-tool: policies of a key; without a touch no signature"
expect_output "Successfully generated" piv -a generate -s 84 -A ECCP256 --pin-policy=never \
    --touch-policy=always -o 84.pub
certify 84 84.pub
expect_output "uccess" piv -a test-signature -s 84 -i 84.pem
expect_output ok card_control 0 "touch-deny 1"
expect_failure any piv -a test-signature -s 84 -i 84.pem
expect_output ok card_control 0 "touch-deny 0"

tell "yubico-piv-tool: objects, of which one needs the PIN, and a deleted certificate"
for object in 0x5fc109 0x5fff11; do
    piv -a write-object --id "$object" -f hex -i - <<<0102030405
    expect_output 0102030405 piv -a verify-pin -P 123456 -a read-object --id "$object" -f hex
done
expect_failure any piv -a read-object --id 0x5fc109 -f hex
expect_output 0102030405 piv -a read-object --id 0x5fff11 -f hex
piv -a delete-certificate -s 83
expect_failure any piv -a read-certificate -s 83

tell "yubico-piv-tool: CHUID and CCC, and they are in the status"
expect_output "Successfully set new CHUID" piv -a set-chuid
expect_output "Successfully set new CCC" piv -a set-ccc
piv -a status >status.log
! grep -q "No data available" status.log || fail "an object is missing: $(cat status.log)"

tell "pkcs11-tool --test through OpenSC's module and Yubico's"
for module in "$opensc" "$ykcs11"; do
    index=$(slot_index "$module" "$reader")
    pkcs11-tool --module "$module" --slot-index "$index" --login --pin 123456 --test \
        >module.log 2>&1 || fail "$module: $(cat module.log)"
    grep -q "No errors" module.log || fail "$module: $(cat module.log)"
    pkcs11-tool --module "$module" --slot-index "$index" --login --pin 123456 --list-objects \
        >objects.log 2>&1
    [ "$(grep -c '^Private Key Object' objects.log)" -ge 4 ] ||
        fail "$module shows too few keys: $(cat objects.log)"
done

tell "pkcs15-tool: objects, a certificate that piv-tool wrote compressed, PIN and PUK"
pkcs15() {
    pkcs15-tool --reader "$reader" "$@"
}
expect_output "Private RSA Key [PIV AUTH key]" pkcs15 --dump
openssl x509 -in 9a.pem -outform DER | gzip >9a.gz
admin_load 0 "$reader" "$factory_key" 03 -Z 9A -i 9a.gz
pkcs15 --read-certificate 01 | cmp - <(openssl x509 -in 9a.pem)
expect_output "Successfully imported" piv -a import-certificate -s 9a -i 9a.pem
pkcs15 --change-pin --pin 123456 --new-pin 654321
expect_failure any pkcs15 --verify-pin --pin 123456 --list-pins
pkcs15 --unblock-pin --puk 12345678 --new-pin 123456
expect_output "PIV PUK" pkcs15 --verify-pin --pin 123456 --list-pins

tell "yubico-piv-tool: PIN and PUK"
expect_output "Successfully verified" piv -a verify-pin -P 123456
expect_output "Successfully changed the pin" piv -a change-pin -P 123456 -N 654321
expect_output "Successfully changed the puk" piv -a change-puk -P 12345678 -N 87654321
for left in 2 1 0; do
    expect_failure any piv -a verify-pin -P 111111
    expect_output "PIN tries left:	$left" piv -a status
done
expect_failure any piv -a verify-pin -P 654321
expect_output "Successfully unblocked" piv -a unblock-pin -P 87654321 -N 654321
expect_output "Successfully verified" piv -a verify-pin -P 654321

tell "the state outlives the card's removal and its program"
card_remove 0
card_insert 0
kill_card 0
wait_for 10 cards_seen_are 3
start_card 0
wait_for 10 cards_seen_are 4
expect_output "Successfully verified" piv -a verify-pin -P 654321
piv -a read-certificate -s 9a | cmp - <(openssl x509 -in 9a.pem)

tell "trouble on demand: the card vanishes, and comes back as it was"
expect_output ok card_control 0 reset-count
expect_output ok card_control 0 "vanish-at 3"
expect_failure any piv -a verify-pin -P 654321
wait_for 10 cards_seen_are 3
expect_output 3 card_control 0 count
card_insert 0
expect_output "Successfully verified" piv -a verify-pin -P 654321
expect_output "error: no such knob" card_control 0 "explode-at 3"

tell "yubico-piv-tool: retry counts, which restore the factory PIN and PUK"
expect_output "Successfully changed pin retries" \
    piv -a verify-pin -P 654321 -a pin-retries --pin-retries 5 --puk-retries 4
expect_output "PIN tries left:	5" piv -a status
expect_output "Successfully verified" piv -a verify-pin -P 123456

tell "yubico-piv-tool: management key"
expect_output "Successfully set new management key" piv -a set-mgm-key -n "$other_key"
expect_failure any piv -a set-chuid
expect_output "Successfully set new CHUID" piv -k"$other_key" -a set-chuid

tell "ykman: information, and an AES management key"
expect_output "PIN tries remaining:" manage info
aes=$(printf '%.0s0f1e2d3c' 1 2 3 4 5 6 7 8)
manage access change-management-key --management-key "$other_key" --algorithm AES256 \
    --new-management-key "$aes" --force
expect_output "AES256" manage info
manage keys generate --management-key "$aes" --algorithm ECCP256 9e ykman.pub
manage access change-management-key --management-key "$aes" --algorithm TDES \
    --new-management-key "$factory_key" --force

# Version 0.23 cannot do external authentication (A:) with any card, so it is mutual here.
tell "piv-tool: management key authentication, and an object written"
admin "$reader" "$factory_key" 03 -s 00:DB:3F:FF:0B:5C:03:5F:C1:0C:53:04:70:02:05:00
expect_output "SW1=0x90, SW2=0x00" cat admin.log

tell "yubico-piv-tool: reset, only when PIN and PUK are blocked"
expect_failure any piv -a reset
for _ in 1 2 3 4 5; do
    expect_failure any piv -a verify-pin -P 999999
    expect_failure any piv -a unblock-pin -P 99999999 -N 888888
done
expect_output "Successfully reset" piv -a reset
expect_output "PIN tries left:	3" piv -a status
expect_failure any piv -a read-certificate -s 9a

tell "ykman: reset"
manage reset --force
expect_output "PIN tries left:	3" piv -a status

tell "firmware 4.3 without metadata, and 5.7 with an AES management key: key, PIN, attestation, reset"
for reader in "$old_reader" "$newer_reader"; do
    manage keys generate --management-key "$factory_key" --algorithm ECCP384 9a 9a.pub
    manage certificates generate --pin 123456 --management-key "$factory_key" --subject CN=self 9a \
        9a.pub
    manage keys attest 9a attest.pem
    piv -a read-certificate -s f9 >attester.pem
    expect_output "attest.pem: OK" openssl verify -CAfile attester.pem attest.pem
    manage access change-pin --pin 123456 --new-pin 654321
    manage access change-puk --puk 12345678 --new-puk 87654321
    manage access unblock-pin --puk 87654321 --new-pin 123456
    manage access set-retries --management-key "$factory_key" --pin 123456 --force 5 4
    expect_output "PIN tries remaining: 5" manage info
    manage reset --force
    expect_failure any piv -a read-certificate -s 9a
done
expect_failure any ykman --reader "$old_reader" piv access change-management-key --force \
    --management-key "$factory_key" --algorithm AES256 --new-management-key "$(printf '%064d' 1)"

tell "a plain NIST card with an AES key: piv-tool makes and certifies a key, pkcs11-tool uses it"
aes=0102030405060708010203040506070801020304050607080102030405060708
expect_output "Personal Identity Verification Card" opensc-tool --reader "$nist_reader" --name
admin "$nist_reader" "$aes" 0C -s 00:47:00:9A:05:AC:03:80:01:11
expect_output "SW1=0x90, SW2=0x00" cat admin.log
point=$(sed '1,/SW1=/d' admin.log | cut -c 1-48 | tr -cd '0-9A-F' | sed 's/^7F49438641//' | cut -c 1-130)
# A SubjectPublicKeyInfo for P-256 around the point.
perl -e 'print pack "H*", $ARGV[0]' \
    "3059301306072A8648CE3D020106082A8648CE3D030107034200$point" >nist.der
openssl pkey -pubin -inform DER -in nist.der -out nist.pub
certify nist nist.pub
admin_load 1 "$nist_reader" "$aes" 0C -C 9A -i nist.pem
echo "to be signed" >message
openssl dgst -sha256 -binary -out digest message
pkcs11-tool --module "$opensc" --slot-index "$(slot_index "$opensc" "$nist_reader")" --login --pin 123456 \
    --sign --mechanism ECDSA --id 01 --signature-format openssl -i digest -o signature >nist.log 2>&1 ||
    fail "pkcs11-tool: $(cat nist.log)"
expect_output "Verified OK" openssl dgst -sha256 -verify nist.pub -signature signature message
expect_failure any yubico-piv-tool --reader "$nist_reader" -a set-mgm-key -n "$other_key"
