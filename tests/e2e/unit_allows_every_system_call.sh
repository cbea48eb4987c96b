#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the system call filter of the unit lets through all that the daemon does in a card's life and an activation, and ssh to a CA
# sandbox: --no-daemon --owner
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/ms-cs.sh
source "$TESSERA_SOURCE/tests/lib/ms-cs.sh"
cd "$TESSERA_SANDBOX/tmp"
[ -z "$TESSERA_PRELOAD" ] || skip "sanitizers make system calls of their own"
printf '271828\n' >pin
unit=$TESSERA_SOURCE/data/tesserad.service.in

# allowed GROUP: the names in one of systemd's groups.
allowed() {
    local name
    systemd-analyze syscall-filter "$1" | sed -E '1d; s/^ +//; /^#/d; /^$/d' | while read -r name; do
        case $name in
            @*) allowed "$name" ;;
            *) echo "$name" ;;
        esac
    done
}

groups() {
    sed -n "s/^SystemCallFilter=$1//p" "$unit" | tr ' ' '\n' | grep '^@'
}
for group in $(groups "" | grep -v '~'); do
    allowed "$group"
done | sort -u >granted
[ -s granted ] || fail "the unit grants nothing"
for group in $(groups '~'); do
    allowed "$group"
done | sort -u >denied
[ -s denied ] || fail "the unit denies nothing"
# What systemd grants in any case (systemd.exec(5), SystemCallFilter=).
printf '%s\n' execve exit exit_group getrlimit rt_sigreturn >>granted
sort -u granted | comm -23 - denied >filter

"$TESSERA_SOURCE/tools/licence" key licence.key licence.pub
"$TESSERA_SOURCE/tools/licence" code --codes codes.json --customer Example --credentials 5 \
    --not-after 2099-12-31 >code
make_certificate localhost server.pem
start_activation 8443 server.pem
write_daemon_config
daemon_option "command-dir = $PWD/commands"
daemon_option "licence-public-key-file = $PWD/licence.pub"
daemon_option "activation-ca-file = $PWD/activation-ca.pem"
daemon_option "activation-url = https://localhost:8443/activate"

# As the unit's user: SQLite changes owners of files when it is root's.
chown -R tessera:tessera "$TESSERA_STATE" "$TESSERA_SANDBOX/kept/token-pin" /run/tessera
start_part tesserad strace -D -u tessera -f -qq -o trace tesserad --config "$TESSERA_CONFIG"
wait_for_part tesserad daemon_owns_name
start_owner
card_is() {
    [ "$(tessera --json reader show 1 | jq -r .state)" = "$1" ]
}
wait_for 30 card_is unregistered
tessera licence activate --code-file code >/dev/null
tessera card issue --reader 1 --template ec --holder name=Ada --holder email=ada@example.org \
    --holder upn=ada@example.org >/dev/null
tessera card activate --new-pin-file pin >/dev/null
echo data >data
foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin 271828 --id 01 --sign \
    --mechanism ECDSA-SHA256 --input-file data --output-file signature >/dev/null 2>&1
card_remove 0
card_insert 0
wait_for 30 card_is active
tessera card retire --yes >/dev/null

# ssh, which tells a Microsoft CS of revocations, as the guide has it
ssh-keygen -q -t ed25519 -N '' -f host
setpriv --reuid tessera --regid tessera --clear-groups ssh-keygen -q -t ed25519 -N '' -f "$TESSERA_STATE/ssh"
printf '%s\n' "HostKey $PWD/host" "AuthorizedKeysFile $PWD/authorized" "PidFile none" "UsePAM no" "StrictModes no" \
    "PermitRootLogin prohibit-password" "PrintLastLog no" "ListenAddress 127.0.0.1" "Port 2222" >sshd_config
cat "$TESSERA_STATE/ssh.pub" >authorized
echo "[localhost]:2222 $(cut -d' ' -f1,2 host.pub)" >known_hosts
mkdir -p /run/sshd commands
ln -s "$(type -P ssh)" commands/ssh
start_part sshd /usr/sbin/sshd -D -e -f "$PWD/sshd_config"
start_ms_cs 8444
add_ms_cs 8444
jq --arg state "$TESSERA_STATE" --arg known "$PWD/known_hosts" --arg control "$ms_cs_control" \
    --arg certutil "$TESSERA_SOURCE/tests/servers/ms-cs-certutil" '.revocation.command = ["ssh", "-F", "none",
    "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile=" + $known, "-i", $state + "/ssh",
    "-p", "2222", "root@localhost", $certutil, $control, "-revoke", "{serial}", "{reason}"]' lab.json >lab-ssh.json
tessera connection update lab-ssh.json >/dev/null
ms_cs_template | jq '.keys |= .[0:1]' | tessera template add - >/dev/null
tessera card issue --reader 1 --template lab --holder name=Ada --holder email=ada@example.org \
    --holder upn=ada@lab.test >/dev/null
tessera card retire --yes >/dev/null
[ "$(ms_cs_has revoked)" = 1 ] || fail "ssh has not told the CA: $(tessera task list)"
stop_ms_cs 8444
stop_part sshd TERM

# The process of a slot's module is below the same filter.
tessera slot add web --create --pin-file pin --process own \
    --environment "SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf" >/dev/null
tessera slot test web >/dev/null
stop_daemon
stop_activation 8443

sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' trace | sort -u >used
grep -q 'execve(.*commands/ssh' trace || fail "ssh was not looked at"
grep -q 'execve(.*tessera-token' trace || fail "the process of a slot's module was not looked at"
[ "$(wc -l <used)" -gt 40 ] || fail "the trace is not what it should be: $(cat used)"
refused=$(comm -23 used filter)
[ -z "$refused" ] || fail "the unit's SystemCallFilter= stops: $refused"
