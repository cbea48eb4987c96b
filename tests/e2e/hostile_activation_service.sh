#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# whatever an activation service answers, it gives one clear error, and the licence that is there stays
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
source "$TESSERA_SOURCE/tests/lib/activation.sh"
cd "$TESSERA_SANDBOX/tmp"
echo AAAAA-BBBBB-CCCCC-DDDDD-EEEEE >code

"$TESSERA_SOURCE/tools/licence" key licence.key licence.pub
make_certificate localhost server.pem
make_certificate elsewhere.example elsewhere.pem
mkdir other && (cd other && make_certificate localhost server.pem)
cat other/server.pem >untrusted.pem
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -days 1 -keyout self.key -out self.crt 2>/dev/null && cat self.crt self.key >self.pem
start_activation 8443 server.pem
start_activation 8444 elsewhere.pem
start_activation 8445 untrusted.pem
start_activation 8446 self.pem

# The licence that must stay.
daemon_option "licence-public-key-file = $PWD/licence.pub"
daemon_option "activation-ca-file = $PWD/activation-ca.pem"
daemon_option "activation-url = https://localhost:8443/activate"
restart_daemon
"$TESSERA_SOURCE/tools/licence" make --key licence.key --customer Example --id first --credentials 3 \
    --not-after 2099-12-31 --store-id "$(tessera --json status | jq -r .store_id)" --output licence.json
tessera licence activate licence.json >/dev/null

# service URL: the daemon knows this one from now on.
service() {
    sed -i '/^activation-url/d' "$TESSERA_CONFIG"
    daemon_option "activation-url = $1"
    restart_daemon
}

# refused STATUS TEXT: an activation ends so, with one line that says TEXT.
refused() {
    expect_failure "$1" tessera licence activate --code-file code
    [ "$(grep -c '^tessera: ' <<<"$output")" = 1 ] || fail "not one clear error: $output"
    [[ $output == *"$2"* ]] || fail "'$2' is not in: $output"
    [ "${#output}" -lt 700 ] || fail "the error is ${#output} bytes long: $output"
    [ "$(tessera --json licence show | jq -r .id)" = first ] || fail "the licence was lost: $2"
}

refused 2 "unknown activation code"
while read -r path status text; do
    service "https://localhost:8443/$path"
    refused "$status" "$text"
done <<'END'
redirect 8 redirects to https://elsewhere.example/activate, which is not followed
wrong-key 2 not signed by the configured key
other-store 2 is for the store 00000000000000000000000000000000
expired 2 has expired
altered 2 not signed by the configured key
truncated 2 the answer of the activation service
cut 8 breaks off
huge 8 longer than 65536 bytes
huge-length 8 longer than 65536 bytes
html 2 the answer of the activation service
nul 2 the answer of the activation service
broken 8 HTTP status 500
control 2 HTTP status 403
END
[[ $output != *$'\x1b'* ]] || fail "control characters reach the terminal"

# Certificates: another name, another authority, itself; and no TLS, nobody there, no such name.
service https://localhost:8444/activate
refused 8 "certificate is not trusted"
service https://localhost:8445/activate
refused 8 "certificate is not trusted"
service https://localhost:8446/activate
refused 8 "certificate is not trusted"
perl -MIO::Socket::INET -e '
    my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:8447", Listen => 5, ReuseAddr => 1) or die;
    while (my $socket = $listener->accept()) { print $socket "HTTP/1.1 200 OK\r\n\r\n"; close $socket; }' &
plain=$!
service https://localhost:8447/activate
refused 8 "https://localhost:8447/activate: "
kill "$plain"
service https://localhost:8449/activate
refused 8 "does not take connections"
service https://nobody.invalid/activate
refused 8 "name is not known"

# Nobody waits for ever; the daemon serves others meanwhile, and ends when asked to.
for path in slow silent; do
    service "https://localhost:8443/$path"
    begin=$EPOCHSECONDS
    tessera licence activate --code-file code >late 2>&1 &
    waiting=$!
    sleep 1
    timeout 5 env -u TESSERA_SESSION tessera status >/dev/null || fail "the daemon does not answer while it waits"
    wait "$waiting" && fail "the service '$path' gave a licence"
    grep -q 'within 20 seconds' late || fail "$(cat late)"
    [ $((EPOCHSECONDS - begin)) -lt 30 ] || fail "it took $((EPOCHSECONDS - begin)) seconds"
done

# The wrong configuration of an address is told at the start.
sed -i '/^activation-url/d' "$TESSERA_CONFIG"
cp "$TESSERA_CONFIG" conf
for url in http://localhost/ https:// https://user:password@localhost/ file:///etc/passwd; do
    { cat conf && echo "activation-url = $url"; } >wrong
    expect_failure 78 tesserad --config wrong --check-config
    [[ $output == *"activation-url must be an https:// address"* ]] || fail "$output"
done

! grep -rqF "$(cat code)" "$TESSERA_SANDBOX/log" "$TESSERA_STATE" || fail "the code is in a log or the store"
expect_output whole tessera audit verify
for port in 8443 8444 8445 8446; do
    stop_activation "$port"
done
