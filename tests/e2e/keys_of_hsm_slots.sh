#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# programs use the keys of an HSM's token through the daemon, as far as the slot's rules let them
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"
page=slots.md
module=$TESSERA_PKCS11_MODULE
softhsm=/usr/lib/softhsm/libsofthsm2.so
export PIN=271828
cd "$TESSERA_SANDBOX/tmp"
chmod 777 .
printf '%s\n' "$PIN" >pin
echo 'to be signed' >message

as_ada() {
    foreign setpriv --reuid ada --regid ada --clear-groups env -u TESSERA_SESSION "$@"
}
ada_uses() {
    as_ada pkcs11-tool --module "$module" --token-label "$@"
}
uses() {
    foreign pkcs11-tool --module "$module" --token-label "$@"
}
# softhsm_key TOKEN TYPE ID LABEL
softhsm_key() {
    SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf pkcs11-tool --module "$softhsm" --token-label "$1" \
        --login --pin "$PIN" --keypairgen --key-type "$2" --id "$3" --label "$4" >/dev/null 2>&1
}
# From SoftHSM2 itself: pkcs11-tool reads memory that it has freed, which a sanitizer would end it for.
public_key() {
    SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf pkcs11-tool --module "$softhsm" --token-label "$1" \
        --read-object --type pubkey --id "$2" --output-file public.der >/dev/null 2>&1
    openssl pkey -pubin -inform DER -in public.der -out public.pem
}
# The daemon makes its key for the audit trail whenever it has the time.
last_audit() {
    tessera --json audit list --newest --limit 2 |
        jq -r '[.[] | select(.operation != "make-audit-key")][0] | "\(.operation) \(.outcome) \(.detail)"'
}

# --- a token whose PIN the programs give ---
guide_run $page "A token of SoftHSM2" >/dev/null
softhsm_key web rsa:2048 02 rsa
expect_output '0 private keys' tessera slot test web
expect_output 'login required' uses web --list-token-slots
expect_output 'Private Key Object; RSA' uses web --login --pin "$PIN" --list-objects
uses web --login --pin "$PIN" --id 02 --sign --mechanism SHA256-RSA-PKCS --input-file message \
    --output-file signature >/dev/null 2>&1
public_key web 02
openssl dgst -sha256 -verify public.pem -signature signature message >/dev/null
echo "ok an RSA key signs with the PIN of the program"
uses web --login --pin "$PIN" --id 01 --sign --mechanism ECDSA-SHA256 --signature-format openssl \
    --input-file message --output-file signature >/dev/null 2>&1
public_key web 01
openssl dgst -sha256 -verify public.pem -signature signature message >/dev/null
echo "ok an EC key signs with the PIN of the program"
expect_failure any uses web --login --pin 999999 --list-objects
[[ $output == *CKR_PIN_INCORRECT* ]] || fail "a wrong PIN says: $output"
[[ $(last_audit) == "login PinWrong "* ]] || fail "the audit trail says: $(last_audit)"
echo "ok a wrong PIN is refused and recorded"

# --- a module in a process of its own ---
guide_run $page "Where the module runs" >/dev/null
expect_output 'its own, 60 seconds for a call' tessera slot show web
uses web --login --pin "$PIN" --id 01 --sign --mechanism ECDSA-SHA256 --signature-format openssl \
    --input-file message --output-file signature >/dev/null 2>&1
openssl dgst -sha256 -verify public.pem -signature signature message >/dev/null
echo "ok the same key signs with the module in a process of its own"
private_folder /var/lib/softhsm
env -u SOFTHSM2_CONF pkcs11-tool --module "$softhsm" --init-token --label shared --slot-index 0 --so-pin 31415926 >/dev/null 2>&1
env -u SOFTHSM2_CONF pkcs11-tool --module "$softhsm" --init-pin --token-label shared --login --login-type so --so-pin 31415926 \
    --new-pin "$PIN" >/dev/null 2>&1
guide_run $page "The system's SoftHSM2" >/dev/null
expect_output 'token "shared"' tessera slot test shared
tessera slot remove shared >/dev/null
echo "ok the system's SoftHSM2 has tokens that are none of the daemon's"

# --- a token whose PIN the daemon keeps ---
guide_run $page "Who has the PIN" >/dev/null
tessera slot remove batch >/dev/null
tessera slot add batch --keep-pin --pin-file pin --audit-uses >/dev/null
softhsm_key batch rsa:2048 02 rsa
softhsm_key batch EC:prime256v1 01 tls
expect_output '2 private keys' tessera slot test batch
! uses batch --list-token-slots | grep -A 9 ': batch' | grep -q 'login required' ||
    fail "a token whose PIN is kept wants a login"
uses batch --id 01 --sign --mechanism ECDSA-SHA256 --signature-format openssl --input-file message \
    --output-file signature >/dev/null 2>&1
public_key batch 01
openssl dgst -sha256 -verify public.pem -signature signature message >/dev/null
[[ $(last_audit) == 'use-key ok sign with key "tls" of slot batch' ]] || fail "recorded is: $(last_audit)"
echo "ok a kept PIN is enough, and each use is recorded where that is asked for"
! grep -rqa "$PIN" "$TESSERA_STATE" || fail "the PIN lies in the state folder"
echo "ok a kept PIN is not on the disk"

expect_output 'ECDSA-SHA256, keySize={112,521}, sign, verify' uses batch --list-mechanisms
[[ $output == *ECDH1-DERIVE* && $output == *RSA-PKCS-OAEP* ]] || fail "mechanisms: $output"

# --- OpenSSL ---
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
public_key batch 02
OPENSSL_CONF=openssl.cnf foreign openssl dgst -sha256 -engine pkcs11 -keyform engine \
    -sign 'pkcs11:token=batch;object=rsa;type=private' -out signature message 2>engine.log ||
    fail "OpenSSL says: $(cat engine.log)"
openssl dgst -sha256 -verify public.pem -signature signature message >/dev/null
openssl pkeyutl -encrypt -pubin -inkey public.pem -in message -out secret
OPENSSL_CONF=openssl.cnf foreign openssl pkeyutl -decrypt -engine pkcs11 -keyform engine \
    -inkey 'pkcs11:token=batch;object=rsa;type=private' -in secret -out opened 2>engine.log ||
    fail "OpenSSL says: $(cat engine.log)"
cmp message opened
echo "ok OpenSSL's engine signs and decrypts"

# The engine derives with the private key and another one's public key.
openssl ecparam -name prime256v1 -genkey -noout -out peer.pem
openssl pkey -in peer.pem -pubout -out peer-public.pem
public_key batch 01
OPENSSL_CONF=openssl.cnf foreign openssl pkeyutl -derive -engine pkcs11 -keyform engine \
    -inkey 'pkcs11:token=batch;object=tls;type=private' -peerkey peer-public.pem -out ours 2>engine.log ||
    fail "OpenSSL says: $(cat engine.log)"
openssl pkeyutl -derive -inkey peer.pem -peerkey public.pem -out theirs
cmp ours theirs
echo "ok an EC key agrees on a secret"
uses batch --id 02 --sign --mechanism SHA256-RSA-PKCS-PSS --salt-len 20 --input-file message \
    --output-file signature >/dev/null 2>&1
public_key batch 02
openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -verify public.pem \
    -signature signature message >/dev/null
openssl pkeyutl -encrypt -pubin -inkey public.pem -pkeyopt rsa_padding_mode:oaep -in message -out oaep
uses batch --id 02 --decrypt --mechanism RSA-PKCS-OAEP --hash-algorithm SHA-1 --mgf MGF1-SHA1 \
    --input-file oaep --output-file opened >oaep.log 2>&1 || fail "OAEP: $(cat oaep.log)"
cmp message opened
echo "ok PSS and OAEP with their parameters"

# --- threads: each takes a connection that is free ---
cat >threads.py <<'END'
import copy, ctypes, os, sys, threading
sys.dont_write_bytecode = True
sys.path.insert(0, os.environ["TESSERA_SOURCE"] + "/tests/lib")
from cryptoki import Worker
worker, failures, signatures = Worker(), [], set()
worker.initialize()

def sign(slot):
    mine = copy.copy(worker)
    mine.session = ctypes.c_ulong(0)
    try:
        mine.open(slot)
        for _ in range(25):
            signatures.add(mine.sign(1, elliptic=True))
    except Exception as error:
        failures.append(error)

slot = next(slot for slot in worker.slots() if slot >= 65536 and slot != int(sys.argv[1]))
threads = [threading.Thread(target=sign, args=(slot,)) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(f"{failures}, {len(signatures)} signatures" if failures or len(signatures) != 150 else 0)
END
foreign /usr/bin/python3 threads.py "$(tessera --json slot show web | jq .number)"
echo "ok six threads of a program sign at once"

# --- many objects, for a user who is no manager ---
softhsm_data() {
    head -c 20000 /dev/zero >data
    for number in $(seq 1 40); do
        SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf pkcs11-tool --module "$softhsm" \
            --token-label batch --login --pin "$PIN" --write-object data --type data \
            --label "data $number" >/dev/null 2>&1
    done
}
softhsm_data
tessera slot test batch >/dev/null
[ "$(uses batch --list-objects --type data | grep -c 'label: *.data ')" = 40 ] || fail "not all data objects show"
echo "ok objects that one answer has no room for come in several"

# --- who may ---
! ada_uses batch --list-token-slots 2>&1 | grep -q batch || fail "ada sees a slot that no rule shows her"
expect_failure any ada_uses batch --id 01 --sign --mechanism ECDSA-SHA256 --input-file message
tessera slot allow batch sign --user ada --key tls >/dev/null
expect_output 'user:ada: sign with the key "tls"' tessera slot show batch
ada_uses batch --id 01 --sign --mechanism ECDSA-SHA256 --input-file message --output-file ada-signature \
    >/dev/null 2>&1
expect_output 'tls' ada_uses batch --list-objects --type privkey
[[ $output != *rsa* ]] || fail "ada sees a key that she may not use: $output"
echo "ok a rule lets a user use one key, and shows no other"
tessera slot allow batch decrypt --group ada --key rsa >/dev/null
expect_failure any ada_uses batch --id 02 --sign --mechanism SHA256-RSA-PKCS --input-file message
[[ $(last_audit) == 'use-key AccessDenied sign with key "rsa" of slot batch'* ]] ||
    fail "recorded is: $(last_audit)"
head -c 256 /dev/zero | tr '\0' '\1' >block
expect_failure any ada_uses batch --id 02 --sign --mechanism RSA-X-509 --input-file block
expect_failure any ada_uses batch --id 02 --decrypt --mechanism RSA-X-509 --input-file block
ada_uses batch --id 02 --decrypt --mechanism RSA-PKCS --input-file secret --output-file ada-opened >/dev/null 2>&1
cmp message ada-opened
echo "ok who may decrypt cannot sign, and a bare RSA operation wants both"
tessera slot deny batch sign --user ada --key tls >/dev/null
expect_failure any ada_uses batch --id 01 --sign --mechanism ECDSA-SHA256 --input-file message
guide_run $page "Say who may use a key" >/dev/null
guide_run $page "Let programs make keys" >/dev/null
expect_output 'none: only managers' tessera slot show web
expect_failure any tessera slot allow web --user nobody-of-that-name
expect_failure any tessera slot allow web dance --anyone
expect_failure any as_ada tessera slot add mine --token-label web
echo "ok what was allowed can be taken back"

# --- what cannot be a slot ---
expect_failure any tessera slot add own --token-label tessera
[[ $output == *"own and cannot be a slot"* ]] || fail "the own token: $output"
expect_failure any tessera slot add self --token-label web --module "$module"
[[ $output == *"Tessera's own module"* ]] || fail "the own module: $output"
cp "$module" other-name.so
expect_failure any tessera slot add self --token-label web --module "$PWD/other-name.so"
proxy=$(ls /usr/lib/*/p11-kit-proxy.so)
expect_failure any tessera slot add self --token-label web --module "$proxy"
[[ $output == *"leads to it"* ]] || fail "p11-kit's proxy: $output"
expect_failure any tessera slot add twice --token-label web
expect_failure any tessera slot add nothing --token-label nothing
expect_failure any tessera slot add nothing --token-label web --module no-such-module
[[ $output == *"name that p11-kit knows"* ]] || fail "an unknown name: $output"
expect_failure any tessera slot add by-name --token-label web --module softhsm2
[[ $output == *"has this token already"* ]] || fail "a name that p11-kit knows: $output"
expect_failure any tessera slot add web --token-label other --create --pin-file pin
echo "ok neither its own token, nor itself, nor another slot's token becomes a slot"

# --- after a restart: the PIN is sealed, then in a file ---
restart_daemon
uses batch --id 01 --sign --mechanism ECDSA-SHA256 --input-file message --output-file again >/dev/null 2>&1
echo "ok with a sealed PIN keys work after a restart"
install -m 600 pin "$TESSERA_SANDBOX/tmp/kept-pin"
tessera slot remove batch >/dev/null
tessera slot add batch --pin-source "$PWD/kept-pin" >/dev/null
tessera slot allow batch sign --anyone >/dev/null
restart_daemon
ada_uses batch --id 01 --sign --mechanism ECDSA-SHA256 --signature-format openssl --input-file message \
    --output-file ada-signature >/dev/null 2>&1
public_key batch 01
openssl dgst -sha256 -verify public.pem -signature ada-signature message >/dev/null
echo "ok with the PIN in a file keys work after a restart, with nobody there"
expect_output whole tessera audit verify
echo "ok the audit trail is whole: rules are enough for the use of a key"
