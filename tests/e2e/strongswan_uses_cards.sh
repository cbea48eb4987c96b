#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# strongSwan proves a card's certificate to a VPN gateway, which refuses it once it is revoked
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"

need charon-systemd swanctl ip
[ -z "$TESSERA_PRELOAD" ] || skip "the sanitizers object to how strongSwan itself reads messages"
cd "$TESSERA_SANDBOX/tmp"
page=networks.md
ip link add wan type veth peer name lan 2>/dev/null || skip "this kernel has no veth interfaces"
ip netns add gateway
ip link set lan netns gateway
ip addr add 192.0.2.2/24 dev wan
ip link set wan up
ip -n gateway addr add 192.0.2.1/24 dev lan
ip -n gateway link set lan up
ada=$(issue 1 employee "Ada Lovelace")
server_certificate vpn.example.org

# Both ends have folders of their own; this kernel may know no IPsec, so that the tunnel has no children.
mkdir -p {client,gateway}/{x509,x509ca,x509crl,private,conf.d}
cp servers-ca.pem client/x509ca/
tessera connection certificate local --pem -o gateway/x509ca/cards-ca.pem
cp vpn.example.org.pem gateway/x509/
cp vpn.example.org.key gateway/private/
guide_lines "$page" "strongSwan" |
    sed "s|/usr/lib/pkcs11/tessera-pkcs11.so|$TESSERA_PKCS11_MODULE|" >client/modules.conf
guide_lines "$page" "A tunnel" | sed '/^        children {/,/^        }/d; s/vpn.example.org$/192.0.2.1/;
    s/id = 192.0.2.1/id = vpn.example.org/; s/^    office {/&\n        childless = force/' \
    >client/swanctl.conf
cat >gateway/swanctl.conf <<'END'
connections {
    cards {
        childless = force
        local {
            auth = pubkey
            certs = vpn.example.org.pem
            id = vpn.example.org
        }
        remote {
            auth = pubkey
            cacerts = cards-ca.pem
            revocation = strict
        }
    }
}
END
touch gateway/modules.conf
for end in client gateway; do
    cat >$end/strongswan.conf <<END
include $PWD/$end/modules.conf
charon-systemd {
    install_routes = no
    filelog {
        stderr {
            default = 1
        }
    }
    plugins {
        vici {
            socket = unix://$PWD/$end/vici
        }
        bypass-lan {
            load = no
        }
    }
}
swanctl {
    socket = unix://$PWD/$end/vici
}
END
done

declare -A pids
start() { # END CMD...
    local end=$1
    shift
    STRONGSWAN_CONF=$PWD/$end/strongswan.conf SWANCTL_DIR=$PWD/$end "$@" charon-systemd \
        >"$end.log" 2>&1 </dev/null &
    pids[$end]=$!
    wait_for 60 test -S "$end/vici"
    swan "$end" --load-all >"$end.loaded" 2>&1 || fail "$end: $(cat "$end.loaded")"
}
stop() {
    kill "${pids[$1]}"
    wait "${pids[$1]}" || true
    rm -f "$1/vici"
}
swan() { # END ARGUMENT...
    STRONGSWAN_CONF=$PWD/$1/strongswan.conf SWANCTL_DIR=$PWD/$1 swanctl "${@:2}"
}
revoke() { # what the authority says now
    tessera connection crl local --der -o gateway/x509crl/cards.crl
}
revoke
connect() {
    start client env
    swan client --initiate --ike office --timeout 60 >shown 2>&1
}

start gateway ip netns exec gateway
connect || fail "no tunnel: $(cat shown gateway.log)"
grep -q "IKE_SA .* established between" shown || fail "the tunnel: $(cat shown)"
stop client

echo "# a suspended card: refused by the module, and by the gateway when a thief goes past the module"
tessera card suspend "$ada" --reason "left in a train" >/dev/null
revoke
swan gateway --flush-certs >/dev/null 2>&1
swan gateway --load-creds --clear >/dev/null 2>&1
! connect || fail "a suspended card makes a tunnel"
stop client
sed -i "s|$TESSERA_PKCS11_MODULE|$(ls /usr/lib/*/pkcs11/opensc-pkcs11.so)|" client/modules.conf
! connect || fail "a revoked certificate makes a tunnel"
grep -q "certificate was revoked" gateway.log || fail "the gateway says: $(cat gateway.log)"
stop client
stop gateway
