#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Firefox has the module from the machine's policy, asks for the PIN and shows the card's certificate
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"

need firefox-esr jq
[ -z "$TESSERA_PRELOAD" ] || skip "Firefox does not run with the sanitizers' library"
cd "$TESSERA_SANDBOX/tmp"
issue 1 employee "Ada Lovelace" >/dev/null
tessera connection certificate local --pem -o ca.pem
server_certificate intranet.example.org

private_etc
mkdir -p /etc/firefox/policies
cp ca.pem /etc/firefox/policies/cards-ca.pem
cp servers-ca.pem /etc/firefox/policies/
guide_lines browsers.md "Firefox" | sed "s|/usr/lib/pkcs11/tessera-pkcs11.so|$TESSERA_PKCS11_MODULE|" |
    jq '.policies.Certificates.Install += ["/etc/firefox/policies/servers-ca.pem"]' \
        >/etc/firefox/policies/policies.json
host_is_here intranet.example.org
start_server 443 openssl s_server -accept 127.0.0.1:443 -cert intranet.example.org.pem \
    -key intranet.example.org.key -CAfile ca.pem -Verify 3 -verify_return_error -www -quiet
"$TESSERA_SOURCE/tests/lib/firefox.py" "$PWD/profile" https://intranet.example.org/ 271828 \
    'Client certificate' >page 2>browser.log || fail "Firefox: $(tail -n 30 browser.log)"
head -n 1 page | grep -q 'Ada Lovelace' || fail "Firefox did not ask for the card's PIN: $(head -n 1 page)"
grep -q 'Client certificate' page || fail "the server saw no certificate: $(cat page server.log)"
grep -q 'CN *= *Ada Lovelace' page || fail "the server saw another certificate: $(cat page)"
stop_server
