#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# NSS lists a card, makes TLS connections with it, signs and decrypts messages
# sandbox: --cards blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"

need modutil certutil tstclnt cmsutil
cd "$TESSERA_SANDBOX/tmp"
page=browsers.md
database=sql:$HOME/.pki/nssdb
issue 1 employee "Ada Lovelace" >/dev/null
cat >machine.json <<'END'
{"name": "machine", "card-type": "piv", "keys": [
    {"slot": "authentication", "algorithm": "ec-p256", "pin": "never", "certificate":
        {"authority": "local", "profile": "card-authentication", "subject": [["CN", "{name}"]]}}]}
END
tessera template add machine.json >/dev/null
issue 2 machine "Ticket Office" >/dev/null
loads_module modutil certutil tstclnt

echo "# the database knows the module, and shows certificates without a PIN"
guide_run "$page" "The NSS database of a user" >shown 2>&1 </dev/null || fail "NSS: $(cat shown)"
grep -q 'pkcs11:token=Ada%20Lovelace;.*serial=10000001' shown || fail "modutil lists no card: $(cat shown)"
for key in Authentication Signature "Key management" "Card authentication"; do
    grep -q "^Ada Lovelace:$key key  *u,u,u" shown || fail "certutil shows no $key certificate: $(cat shown)"
done
expect_output "certificate is valid" certutil -V -u C -d "$database" -n "Ada Lovelace:Authentication key"
expect_output "< 0> rsa" certutil -K -d "$database" -h "Ada Lovelace" -f pin
echo 999999 >wrong
expect_failure any certutil -K -d "$database" -h "Ada Lovelace" -f wrong

echo "# TLS"
server_certificate localhost
certutil -A -d "$database" -n servers -t C,, -i servers-ca.pem
start_server 4433 openssl s_server -accept 127.0.0.1:4433 -cert localhost.pem -key localhost.key \
    -CAfile ca.pem -Verify 3 -verify_return_error -www -quiet
printf 'GET / HTTP/1.0\r\n\r\n' >request
get() { # VERSION NICKNAME [PIN-FILE]
    tstclnt -4 -b -V "$1:$1" -d "$database" -h localhost -p 4433 -n "$2" -W "${3:-pin}" <request >shown 2>&1 || true
}
for version in tls1.2 tls1.3; do
    get "$version" "Ada Lovelace:Authentication key"
    grep -q 'Client certificate' shown || fail "$version: $(cat shown)"
    get "$version" "Ticket Office:Authentication key" no-file
    grep -q 'Client certificate' shown || fail "$version with a card that needs no PIN: $(cat shown)"
    get "$version" "no such certificate"
    ! grep -q 'Client certificate' shown || fail "the server lets in who has no certificate"
done
stop_server

echo "# messages"
echo "I agree. Ada" >letter
# The page's commands ask for the PIN on a terminal; here they have it from a file.
cmsutil() {
    foreign "$(type -P cmsutil)" "$@" -f pin
}
guide_run "$page" "Messages" >shown 2>&1 || fail "cmsutil: $(cat shown)"
cmp letter letter.read || fail "another letter was decrypted"
openssl cms -verify -in letter.signed -inform DER -CAfile ca.pem -purpose smimesign -out read 2>shown ||
    fail "OpenSSL takes no signature of NSS: $(cat shown)"
cmp letter read || fail "another letter was signed"
