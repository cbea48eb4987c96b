#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# p11-kit lists the module, GnuTLS finds a card's keys by their URIs, signs and makes TLS connections
# sandbox: --cards blank,blank --vcard-option 0:--serial=12345678
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"

need p11-kit p11tool gnutls-cli gnutls-serv jq
cd "$TESSERA_SANDBOX/tmp"
page=p11-kit.md
issue 1 employee "Ada Lovelace" >/dev/null
issue 2 ec "Grace Hopper" >/dev/null
install_module
loads_module p11-kit p11tool gnutls-cli

echo "# the module is listed; tesserad does not load it"
guide_run "$page" "What p11-kit knows" >shown
grep -q "^tessera: $TESSERA_PKCS11_MODULE" shown || fail "p11-kit does not list the module: $(cat shown)"
grep -q "URL: .*serial=12345678" shown || fail "p11tool does not list the card: $(cat shown)"
cp "$(type -P p11-kit)" tesserad
foreign ./tesserad list-modules >shown
! grep -q '^tessera:' shown || fail "a program called tesserad loads the module: $(cat shown)"
grep -q '^p11-kit-trust:' shown || fail "p11-kit under another name lists nothing: $(cat shown)"

echo "# where OpenSC's module is, too, ours is first; it can be left out"
if [ -e /usr/share/p11-kit/modules/opensc-pkcs11.module ]; then
    p11-kit list-modules | grep -E '^(tessera|opensc-pkcs11):' | head -n 1 | grep -q '^tessera:' ||
        fail "OpenSC's module is before ours"
    guide_lines "$page" "Cards that OpenSC sees as well" >>/usr/share/p11-kit/modules/opensc-pkcs11.module
    ! p11-kit list-modules | grep -q '^opensc-pkcs11:' || fail "OpenSC's module is still listed"
fi

echo "# the URIs that tessera shows are those that GnuTLS finds"
export GNUTLS_PIN=271828
guide_run "$page" "Name a card or a key" >shown 2>&1
grep -q 'PKCS#11 URI: *pkcs11:serial=12345678' shown || fail "no URI of the card: $(cat shown)"
grep -q 'Signing using RSA-SHA256... ok' shown || fail "p11tool does not sign: $(cat shown)"
openssl x509 -in shown -noout -subject | grep -q 'Ada Lovelace' || fail "another certificate: $(cat shown)"
for reader in 1 2; do
    tessera --json card show "reader:$reader" | jq -r '.certificates[] | .slot + " " + .uri' |
        while read -r slot uri; do
            foreign p11tool --login --test-sign "$uri;type=private" >signed 2>&1 </dev/null ||
                fail "p11tool does not sign with $uri: $(cat signed)"
            foreign p11tool --export "$uri;type=cert" </dev/null | openssl x509 >exported.pem
            tessera card certificate "reader:$reader" "$slot" --pem | cmp - exported.pem ||
                fail "$uri is not the certificate of slot $slot"
        done
done
[ "$(tessera --json card show reader:2 | jq -r .uri)" = pkcs11:serial=10000002 ] || fail "another URI"

echo "# TLS"
server_certificate intranet.example.org
cp servers-ca.pem server.pem
tessera connection certificate local --pem -o ca.pem
host_is_here intranet.example.org
start_server 443 gnutls-serv --http --require-client-cert --verify-client-cert --port 443 \
    --x509cafile ca.pem --x509certfile intranet.example.org.pem --x509keyfile intranet.example.org.key
printf 'GET / HTTP/1.0\r\n\r\n' >request
guide_run "$page" "TLS" >shown 2>&1 <request
grep -q 'Subject: CN=Ada Lovelace' shown || fail "the server saw no certificate: $(cat shown)"
! gnutls-cli --x509cafile server.pem intranet.example.org <request >shown 2>&1 ||
    ! grep -q '<HTML>' shown || fail "the server lets in who has no certificate: $(cat shown)"
stop_server

echo "# the proxy for programs that take one module, and the server for programs elsewhere"
loads_module pkcs11-tool
mkdir -m 0700 runtime
export XDG_RUNTIME_DIR=$PWD/runtime
guide_run "$page" "Programs that take one module only" >shown 2>&1 || fail "proxy: $(cat shown)"
grep -q "Ada Lovelace" shown || fail "p11-kit-proxy.so does not show the card: $(cat shown)"
# The server says where its socket is before it is there, which no person is fast enough to notice.
p11-kit() {
    foreign "$(type -P p11-kit)" "$@"
    [ "$1 $2" != "server --sh" ] || wait_for 60 compgen -G "$XDG_RUNTIME_DIR/p11-kit/*"
}
guide_run "$page" "Cards for programs elsewhere" >shown 2>&1 || fail "p11-kit server: $(cat shown)"
grep -q "Certificate Object" shown || fail "p11-kit-client.so shows no certificate: $(cat shown)"
! grep -q "Grace" shown || fail "the server shows another card, too: $(cat shown)"
