#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ssh-agent holds a card's keys, sshd lets in whoever has an active card, and a card signs other keys
# sandbox: --cards blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"

cd "$TESSERA_SANDBOX/tmp"
page=ssh.md
ada=$(issue 1 employee "Ada Lovelace")
issue 2 ec "Grace Hopper" >/dev/null
private_folder /etc/ssh
private_folder /usr/local/sbin
host_is_here server.example.org
printf '#!/bin/sh\ncat %s/pin\n' "$PWD" >askpass
chmod +x askpass
export SSH_ASKPASS=$PWD/askpass SSH_ASKPASS_REQUIRE=force
loads_module ssh ssh-keygen

echo "# sshd knows the keys of all active cards"
guide_lines "$page" "Let in who has an active card" >/usr/local/sbin/export-card-keys
export_keys() {
    guide_run "$page" "Write the keys for servers" >/dev/null
}
export_keys
[ "$(ls /etc/ssh/cards)" = $'ada\ngrace' ] || fail "keys were exported of: $(ls /etc/ssh/cards)"
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/host_key
cat >/etc/ssh/sshd_config <<END
HostKey /etc/ssh/host_key
PidFile none
UsePAM no
PrintLastLog no
TrustedUserCAKeys /etc/ssh/ca.pub
$(guide_lines "$page" "Servers")
END
printf 'Host *\n    User ada\n    UserKnownHostsFile %s\n    PreferredAuthentications publickey\n' \
    "$PWD/known_hosts" >/etc/ssh/ssh_config
echo "server.example.org $(cut -d' ' -f1,2 /etc/ssh/host_key.pub)" >known_hosts
touch /etc/ssh/ca.pub
# In a user namespace with one user sshd cannot become another: there it runs as that one, ada.
sshd=(/usr/sbin/sshd -D -e -f /etc/ssh/sshd_config)
if [ "$(awk '{ n += $3 } END { print n }' /proc/self/uid_map)" = 1 ]; then
    sshd=(unshare --user "--map-user=$(id -u ada)" "--map-group=$(id -g ada)" "${sshd[@]}"
        -o StrictModes=no)
    echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
fi
mkdir -p /run/sshd
start_server 22 "${sshd[@]}"
log_in() { # USER: through the module, with the PIN
    foreign ssh -o PKCS11Provider="$TESSERA_PKCS11_MODULE" -o IdentityAgent=none "$1@server.example.org" \
        id -un >shown 2>&1
}
log_in ada || fail "ada cannot log in: $(cat shown server.log)"
grep -qx ada shown || fail "somebody else is logged in: $(cat shown)"
! log_in root || fail "a card lets its holder in as another user"

echo "# the agent has the login, until the card is removed from it"
# A copy, which belongs to no group of its own: what does is given no library to load first.
cp "$(type -P ssh-agent)" agent
agent=$(foreign ./agent -P "$TESSERA_BUILD/*") || fail "no agent: $agent"
eval "$agent" >/dev/null
guide_run "$page" "The agent" >shown 2>&1 || fail "the agent: $(cat shown server.log)"
grep -qx ada shown || fail "nobody is logged in: $(cat shown)"
grep -q '2048 SHA256.*Authentication key' shown || fail "the agent does not list the key: $(cat shown)"
! command ssh -o BatchMode=yes server.example.org true 2>/dev/null || fail "the card is still in the agent"
add_card() {
    ssh-add -s "$TESSERA_PKCS11_MODULE" >shown 2>&1
}
by_agent() {
    command ssh -o BatchMode=yes -o IdentitiesOnly=no server.example.org true >shown 2>&1
}
add_card
by_agent || fail "no login by the agent: $(cat shown)"
holds() { # SERIAL: reader 1, in tesserad's eyes
    [ "$(tessera --json reader show 1 | jq -r 'select(.problem == "") | .serial')" = "$1" ]
}
card_remove 0
wait_for 60 holds ""
card_insert 0
wait_for 60 holds "$ada"
! by_agent || fail "a card that was taken out is still logged in"
guide_run "$page" "A card that was taken out" >shown 2>&1
by_agent || fail "no login with the card that is back: $(cat shown)"
kill "$SSH_AGENT_PID"
unset SSH_AGENT_PID SSH_AUTH_SOCK

echo "# a suspended card opens no server, neither by its module nor by OpenSC's"
tessera card suspend "$ada" --reason "left in a train" >/dev/null
export_keys
! log_in ada || fail "a suspended card logs in"
! foreign ssh -o PKCS11Provider="$(ls /usr/lib/*/pkcs11/opensc-pkcs11.so)" ada@server.example.org true \
    >shown 2>&1 || fail "a suspended card logs in with OpenSC's module"
tessera card resume "$ada" >/dev/null
export_keys
log_in ada || fail "ada cannot log in with the card that was found: $(cat shown)"

echo "# a card signs another key"
foreign ssh-keygen -D "$TESSERA_PKCS11_MODULE" 2>/dev/null | sed -n 1p >/etc/ssh/ca.pub
guide_run "$page" "Sign keys with a card" >shown 2>&1 ||
    fail "no login with a key that a card signed: $(cat shown server.log)"
grep -qx ada shown || fail "somebody else is logged in: $(cat shown)"
stop_server
