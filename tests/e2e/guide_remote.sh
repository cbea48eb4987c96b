#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the guide's page on working from another machine holds, on one that has no service
# sandbox: --cards none --daemon-option log-level=info
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"
# shellcheck source=tests/lib/far.sh
source "$TESSERA_SOURCE/tests/lib/far.sh"
cd "$TESSERA_SANDBOX/tmp"
page=remote.md

if [ "${1:-}" != near ]; then
    need ssh /usr/sbin/sshd busctl systemd-stdio-bridge
    far_machine
    start_owner_card
    owner_reader >owner-reader
    near env TESSERA_SOCKET= "$BASH" "$0" near
    echo "# the server's settings that the page shows are settings"
    stop_server
    guide_lines "$page" "A key for Tessera alone" "ClientAliveInterval" >>/etc/ssh/sshd_config
    words=$(guide_lines "$page" "A key for Tessera alone" "restrict" | sed 's/ ssh-ed25519 .*//')
    echo "$words $(cut -d' ' -f1,2 /etc/ssh/near_key.pub)" >/etc/ssh/authorized_keys
    start_far_sshd
    expect_output "Owner's reader" near tessera --host "$far" reader list
    expect_failure any near ssh -n "$far" touch "$PWD/something-else"
    [ ! -e something-else ] || fail "the key can do something else"
    exit
fi

guide_types "PIN=$(cat "$TESSERA_SANDBOX/kept/owner-pin")"
here() { # the reader that the owner's card is in
    sed "s/--reader 1/--reader $(cat owner-reader)/"
}
guide_run "$page" "Every command" >shown
[ "$(grep -c "Owner's reader" shown)" -ge 3 ] || fail "it shows: $(cat shown)"
unset TESSERA_HOST
eval "$(guide_lines "$page" "An operator's login" | here | sed 's/^tessera/guide_program &/')" >shown 2>&1
grep -q system-owner shown || fail "it shows: $(cat shown)"
eval "$(guide_lines "$page" "Files" | here | sed 's/^tessera/guide_program &/')" >shown 2>&1
openssl x509 -in ca.pem -noout || fail "there is no certificate here: $(cat shown)"
tessera --host "$far" --json job list >jobs.json
number=$(jq -r '.[0].number // empty' jobs.json)
eval "$(guide_lines "$page" "When the link breaks" | sed "s/wait 1$/wait ${number:-1}/")" >shown 2>&1 ||
    grep -q "There are no jobs" shown || fail "it shows: $(cat shown)"
guide_run "$page" "Other programs" >shown 2>&1 || fail "busctl: $(cat shown)"
grep -q "^s \"" shown || fail "busctl shows: $(cat shown)"

echo "# a connection that is kept"
guide_lines "$page" "Faster" | sed "s|~/.ssh|$PWD|" >kept
cat /etc/ssh/ssh_config >>kept
cp kept /etc/ssh/ssh_config
for _ in 1 2; do
    expect_output "Owner's reader" tessera --host "$far" reader list
done
ssh -O check "$far" 2>/dev/null || fail "no connection was kept"
ssh -O exit "$far" 2>/dev/null
