#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Chromium shows a card's certificate to a web server as the machine's policy says
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"

need chromium modutil certutil
[ -z "$TESSERA_PRELOAD" ] || skip "Chromium does not run with the sanitizers' library"
cd "$TESSERA_SANDBOX/tmp"
page=browsers.md

# Nobody can be asked for a PIN without a window: a card for a machine, whose key wants none.
cat >machine.json <<'END'
{"name": "machine", "card-type": "piv", "keys": [
    {"slot": "authentication", "algorithm": "ec-p256", "pin": "never", "certificate":
        {"authority": "local", "profile": "smartcard-logon", "subject": [["CN", "{name}"], ["O", "Example"]]}},
    {"slot": "card-authentication", "algorithm": "ec-p256", "pin": "never", "certificate":
        {"authority": "local", "profile": "card-authentication", "subject": [["serialNumber", "{serial}"]]}}]}
END
tessera template add machine.json >/dev/null
card=$(issue 1 machine "Ada Lovelace")
guide_run "$page" "The NSS database of a user" >shown 2>&1 </dev/null || fail "NSS: $(cat shown)"
private_folder /etc/chromium
mkdir -p /etc/chromium/policies/managed
guide_lines "$page" "Chromium" >/etc/chromium/policies/managed/cards.json
jq . /etc/chromium/policies/managed/cards.json >/dev/null

host_is_here intranet.example.org
server_certificate intranet.example.org
certutil -A -d "sql:$HOME/.pki/nssdb" -n servers -t C,, -i servers-ca.pem
start_server 443 openssl s_server -accept 127.0.0.1:443 -cert intranet.example.org.pem \
    -key intranet.example.org.key -CAfile ca.pem -Verify 3 -verify_return_error -www -quiet
browse() {
    timeout 100 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --disable-background-networking --user-data-dir="$PWD/profile" --dump-dom \
        https://intranet.example.org/ >page 2>browser.log || fail "Chromium: $(tail -n 50 browser.log)"
}
browse
grep -q 'Client certificate' page || fail "the server saw no certificate: $(cat page server.log)"
grep -q 'CN *= *Ada Lovelace' page || fail "the server saw another certificate: $(cat page)"

tessera card suspend "$card" --reason "left in a train" >/dev/null
browse
! grep -q 'Client certificate' page || fail "a suspended card lets Chromium in"
stop_server
