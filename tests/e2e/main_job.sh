#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a blank card is issued, used by foreign programs, blocked, unblocked, suspended, resumed and retired
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/narrate.sh
source "$TESSERA_SOURCE/tests/lib/narrate.sh"
# shellcheck source=tests/lib/digicert-one.sh
source "$TESSERA_SOURCE/tests/lib/digicert-one.sh"
# shellcheck source=tests/lib/ms-cs.sh
source "$TESSERA_SOURCE/tests/lib/ms-cs.sh"
# Where the certificates come from: local, digicert-one, ms-cs (quickstart --authority).
authority=${TESSERA_AUTHORITY:-local}
connection=local
holder=(--holder "name=Ada Lovelace" --holder email=ada@example.org)
upn=ada@example.org

module=$TESSERA_PKCS11_MODULE
opensc=$(ls /usr/lib/*/opensc-pkcs11.so)
cd "$TESSERA_SANDBOX/tmp"
pin=271828
printf '%s\n' "$pin" >pin
printf '161803\n' >second-pin

tool() {
    foreign pkcs11-tool --module "$module" "$@"
}
narrate_as tool "pkcs11-tool --module $module"

sign_something() {
    echo 'to be signed' >message
    rm -f signature
    tool --login --pin "$1" --id 01 --sign --mechanism SHA256-RSA-PKCS --input-file message \
        --output-file signature &&
        openssl dgst -sha256 -verify key.pem -signature signature message
}
narrate_as sign_something "pkcs11-tool --module $module --id 01 --sign --login --pin"

step "A new card is in the reader: nobody owns it yet."
wait_for 10 tessera reader show 1
run tessera status
run tessera reader list

if [ "$authority" = digicert-one ]; then
    connection=digicert
    start_digicert_one 8443
    digicert_one_document 8443 >digicert.json
    step "Certificates are to come from DigiCert ONE. A stand-in for it answers on this machine."
    run cat digicert.json
    run tessera connection add digicert.json
    run tessera connection secret digicert api-key api-key
    run tessera connection test digicert
    run tessera connection profiles digicert --update
    run tessera connection fields digicert "Smart card logon"
    digicert_one_employee >employee.json
    run tessera template update employee.json
fi

if [ "$authority" = ms-cs ]; then
    connection=lab upn=ada@lab.test
    holder+=(--holder account=ada)
    start_ms_cs 8443
    ms_cs_commands
    ms_cs_document 8443 | ms_cs_revocation | ms_cs_agent >lab.json
    make_ms_cs_agent
    step "Certificates are to come from Microsoft Certificate Services, on behalf of the holder. A stand-in answers on this machine."
    run cat lab.json
    run tessera connection add lab.json
    run tessera connection secret lab password ms-cs-password
    run tessera connection secret lab enrollment-agent ms-cs-agent.pem
    run tessera connection test lab
    run tessera connection profiles lab --update
    run tessera connection fields lab TesseraLogon
    ms_cs_employee >employee.json
    run tessera template update employee.json
fi

step "The shipped template says what goes on an employee's card."
run tessera template list
run tessera template show employee

step "Issue: Tessera takes the card into ownership, has it make its keys, and enrolls certificates."
run tessera card issue --reader 1 --template employee "${holder[@]}" --holder "upn=$upn"
run tessera card list
run tessera card show

step "Activate: the card was issued with its PIN blocked; now it gets its first PIN."
run tessera card activate --new-pin-file pin
run tessera card list --state active

step "OpenSC's pkcs11-tool uses the card through our PKCS#11 module."
run tool --list-slots
run tool --list-objects --login --pin "$pin"
run tool --test --login --pin "$pin"
case $output in *"No errors"*) ;; *) fail "pkcs11-tool --test found errors: $output" ;; esac

step "What other programs need: the CA's certificate and the card's public keys."
run tessera connection certificate "$connection" --pem -o ca.pem
run tessera card certificate authentication --pem -o authentication.pem
run tessera card certificate signature --pem -o signature.pem
run openssl verify -CAfile ca.pem authentication.pem signature.pem
run openssl x509 -in authentication.pem -noout -subject -issuer -ext extendedKeyUsage,subjectAltName
openssl x509 -in authentication.pem -noout -pubkey >key.pem

step "OpenSSL signs a message (CMS) with the card's signature key, through engine_pkcs11."
cat >openssl.cnf <<END
openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = pkcs11_engine
[pkcs11_engine]
engine_id = pkcs11
MODULE_PATH = $module
PIN = $pin
init = 1
END
echo 'I agree. Ada' >letter
# The signature key wants its PIN for each use; OpenSSL asks for it on the terminal, or, without
# one, reads it from standard input.
sign_letter() {
    OPENSSL_CONF=openssl.cnf foreign setsid --wait openssl cms -sign -nodetach -in letter -text \
        -out letter.p7m -outform PEM -signer signature.pem -engine pkcs11 -keyform engine \
        -inkey 'pkcs11:id=%02;type=private' <pin
}
narrate_as sign_letter "openssl cms -sign -nodetach -in letter -text -out letter.p7m -outform PEM \
-signer signature.pem -engine pkcs11 -keyform engine -inkey 'pkcs11:id=%02;type=private' <pin"
run sign_letter
run openssl cms -verify -in letter.p7m -inform PEM -CAfile ca.pem -purpose smimesign

step "An ssh login to a server that knows the card's key."
foreign ssh-keygen -D "$module" 2>/dev/null | head -1 >authorized_keys
run cat authorized_keys
ssh-keygen -q -t ed25519 -N '' -f host_key
mkdir -p /run/sshd
cat >sshd_config <<END
Port 2222
ListenAddress 127.0.0.1
HostKey $PWD/host_key
AuthorizedKeysFile $PWD/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
END
# In a user namespace with one user sshd cannot become another: there it runs as that one, ada.
sshd_as=() login=$(id -un)
if [ "$(awk '{ n += $3 } END { print n }' /proc/self/uid_map)" = 1 ]; then
    sshd_as=(unshare --user "--map-user=$(id -u ada)" "--map-group=$(id -g ada)")
    login=ada
fi
"${sshd_as[@]}" /usr/sbin/sshd -D -f "$PWD/sshd_config" -E "$PWD/sshd.log" &
sshd=$!
wait_for 10 bash -c ': </dev/tcp/127.0.0.1/2222'
printf '#!/bin/sh\ncat %s/pin\n' "$PWD" >askpass
chmod +x askpass
echo "[127.0.0.1]:2222 $(cut -d' ' -f1,2 host_key.pub)" >known_hosts
run foreign env SSH_ASKPASS="$PWD/askpass" SSH_ASKPASS_REQUIRE=force \
    ssh -F none -p 2222 -o PKCS11Provider="$module" -o UserKnownHostsFile=known_hosts \
    -o IdentitiesOnly=no -o PreferredAuthentications=publickey "$login@127.0.0.1" \
    echo logged in with a card
[[ $output == *"logged in with a card"* ]] || fail "ssh said: $output"
kill "$sshd"

step "Mutual TLS: a web server that lets in only who has a certificate of our CA."
openssl req -x509 -newkey rsa:2048 -nodes -keyout server.key -out server.pem -days 1 \
    -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null
openssl s_server -accept 127.0.0.1:4433 -cert server.pem -key server.key -CAfile ca.pem \
    -Verify 3 -verify_return_error -www -quiet >server.log 2>&1 &
server=$!
wait_for 10 bash -c ': </dev/tcp/127.0.0.1/4433'
run_fails curl --silent --show-error --max-time 20 --cacert server.pem https://127.0.0.1:4433/
run foreign env OPENSSL_CONF=openssl.cnf curl --silent --show-error --max-time 20 \
    --cacert server.pem --engine pkcs11 --key-type ENG --key 'pkcs11:id=%01;type=private' \
    --cert authentication.pem --output page https://127.0.0.1:4433/
grep -q 'Client certificate' page || fail "the server saw no client certificate"
run grep -A 12 -m 1 'Client certificate' page
kill "$server"

step "A wrong PIN, until the card blocks itself."
run_fails tool --login --pin 000000 --list-objects
[[ $output == *CKR_PIN_INCORRECT* ]] || fail "expected CKR_PIN_INCORRECT: $output"
run_fails tool --login --pin 000000 --list-objects
run_fails tool --login --pin 000000 --list-objects
run_fails tool --login --pin "$pin" --list-objects
[[ $output == *CKR_PIN_LOCKED* ]] || fail "expected CKR_PIN_LOCKED: $output"
run tool --list-slots
[[ $output == *"user PIN locked"* ]] || fail "the token does not show that its PIN is locked: $output"

step "The help desk unblocks it and sets a new PIN."
run tessera card unblock --new-pin-file second-pin
run sign_something 161803
run_fails tool --login --pin "$pin" --list-objects

step "Suspended, the card's keys are refused; resumed, they work again."
run tessera card suspend --reason "left at home"
run_fails sign_something 161803
run tessera card resume
run sign_something 161803

step "The card itself, read with OpenSC and without Tessera, shows the same certificate and key."
stop_daemon
run pkcs11-tool --module "$opensc" --list-objects
run pkcs11-tool --module "$opensc" --read-object --type cert --id 01 --output-file opensc.der
run openssl x509 -inform DER -in opensc.der -noout -subject -serial
[ "$(openssl x509 -inform DER -in opensc.der -outform PEM)" = "$(openssl x509 -in authentication.pem)" ] ||
    fail "OpenSC reads another certificate than Tessera issued"
run pkcs11-tool --module "$opensc" --login --pin 161803 --id 01 --sign \
    --mechanism SHA256-RSA-PKCS --input-file message --output-file signature
run openssl dgst -sha256 -verify key.pem -signature signature message
start_daemon
wait_for 10 tessera card show

step "Retire: certificates are revoked, the card is blanked and has its factory secrets again."
run tessera card retire --reason "end of the demonstration" --yes
run tessera card list
if [ "$authority" = local ]; then
    run tessera connection crl local --pem -o crl.pem
    run openssl crl -in crl.pem -CAfile ca.pem -noout -text
    [[ $output == *"Cessation Of Operation"* ]] || fail "the CRL does not list the retired card"
    cat ca.pem crl.pem >ca-crl.pem
    run_fails openssl verify -crl_check -CAfile ca-crl.pem authentication.pem
else
    run tessera task list
    revoked=$(if [ "$authority" = ms-cs ]; then ms_cs_has revoked; else has_certificates revoked; fi)
    [ "$revoked" = 4 ] || fail "the stand-in does not know that the card is retired"
fi
run yubico-piv-tool --action status
[[ $output != *"Subject DN"* ]] || fail "the card still has certificates: $output"
run yubico-piv-tool --action verify-pin --pin 123456

step "Everything that was done is in the audit trail, a chain that shows any change."
run tessera audit list
run tessera audit verify
