#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# wpa_supplicant opens a wired network (802.1X, EAP-TLS) with a card; a suspended card opens none
# sandbox: --cards blank --vcard-option 0:--serial=12345678
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"

need wpa_supplicant hostapd ip
cd "$TESSERA_SANDBOX/tmp"
page=networks.md
ip link add access type veth peer name client 2>/dev/null || skip "this kernel has no veth interfaces"
ip link set access up
ip link set client up
card=$(issue 1 employee "Ada Lovelace")
install_module
server_certificate radius.example.org
guide_run "$page" "The server of the network"
guide_lines "$page" "wpa_supplicant" |
    sed "s|/usr/lib/.*/tessera-pkcs11.so|$TESSERA_PKCS11_MODULE|; s|/etc/wpa_supplicant|$PWD|" >client.conf

echo '"ada@example.org" TLS' >users
cat >access.conf <<END
interface=access
driver=wired
ieee8021x=1
use_pae_group_addr=1
eap_server=1
eap_user_file=$PWD/users
ca_cert=$PWD/cards.pem
check_crl=1
server_cert=$PWD/radius.example.org.pem
private_key=$PWD/radius.example.org.key
END
has() { # FILE TEXT...: one of the texts is there
    local file=$1 text
    shift
    for text; do
        ! grep -q "$text" "$file" 2>/dev/null || return 0
    done
    return 1
}
# open_network: what wpa_supplicant says is in client.log, and what the server says in access.log
open_network() {
    local server client
    hostapd access.conf >access.log 2>&1 </dev/null &
    server=$!
    wait_for 60 has access.log AP-ENABLED
    exec_foreign wpa_supplicant -D wired -i client -c client.conf >client.log 2>&1 </dev/null &
    client=$!
    wait_for 60 has client.log EAP-SUCCESS EAP-FAILURE "Failed to init"
    kill "$client" "$server"
    wait "$client" "$server" || true
}
open_network
has client.log EAP-SUCCESS || fail "the network is shut: $(cat client.log access.log)"
has access.log AP-STA-CONNECTED || fail "the server let nobody in: $(cat access.log)"

tessera card suspend "$card" --reason "left in a train" >/dev/null
open_network
! has client.log EAP-SUCCESS || fail "a suspended card opens the network"
