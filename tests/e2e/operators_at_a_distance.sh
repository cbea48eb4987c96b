#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a machine without a daemon issues cards at a server by ssh, and every fault on the way is said clearly
# sandbox: --cards blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"
# shellcheck source=tests/lib/far.sh
source "$TESSERA_SOURCE/tests/lib/far.sh"

need ssh /usr/sbin/sshd setsid
cd "$TESSERA_SANDBOX/tmp"
far_machine
start_owner_card
owner=$(owner_reader)
owner_pin=$TESSERA_SANDBOX/kept/owner-pin
echo 271828 >pin
echo 314159 >other-pin
log_in_and() { # CMD...: with the owner's login at the server
    near tessera --host "$far" login --reader "$owner" --pin-file "$owner_pin" -- "$@"
}

echo "# there is nothing here, and a service there"
expect_failure 8 near tessera status
for host in "$far" desk "ssh://$far:22"; do
    expect_output yubikey-10000001 near tessera --host "$host" reader list
done
expect_output yubikey-10000001 near env TESSERA_HOST="$far" tessera reader list
expect_output '"private_address": "unix:path=/run/tessera/bus"' near tessera --host "$far" --json status
expect_output yubikey-10000001 near tessera --host "$far" --socket /run/tessera/bus reader list

echo "# a card is issued and used, with files that are here"
cat >issue.sh <<END
set -e
tessera card issue --reader 1 --template employee --holder name='Ada Lovelace' \
    --holder email=ada@example.org --holder upn=ada@EXAMPLE.ORG
tessera card activate reader:1 --new-pin-file pin
tessera card certificate reader:1 authentication -o ada.pem
tessera --host "$far" operator current
END
expect_output "yubikey-10000001: active" log_in_and sh issue.sh
[[ $output == *system-owner* ]] || fail "--host of a login's own host does not use the login: $output"
openssl x509 -in ada.pem -noout -subject | grep -q Ada || fail "there is no certificate here"
record=$(tessera --json audit list --operation issue --newest --limit 1)
[[ $(jq -r '.[0].actor' <<<"$record") == "uid=$(far_uid) pid="*" exe=$TESSERA_BUILD/tessera" ]] ||
    fail "the record does not name ssh's user: $record"
[ -n "$(jq -r '.[0].operator' <<<"$record")" ] || fail "the record names no operator: $record"
expect_failure 4 near tessera --host "$far" card list

echo "# what may not be reached is not"
for host in "-oProxyCommand=touch hostile" "ssh://-oProxyCommand=touch hostile" "ada@-lroot" "-lroot@server" \
    "\$(touch hostile)" "a;touch hostile" "a\`b" "a'b" $'a\nb' "a b" "" "@server" "ada@" \
    "$(printf 'a%.0s' {1..300})"; do
    expect_failure 2 near tessera --host "$host" status
done
expect_failure 2 near tessera --host "$far" --socket "/run/x;touch hostile" status
expect_failure 2 near tessera --host "$far" --socket "relative/bus" status
expect_failure 2 near tessera --host "$far" --system-bus status
expect_failure 2 near env TESSERA_SSH=ssh tessera --host "$far" status
[ ! -e hostile ] || fail "a host's name was run"
near tessera bridge </dev/null >nothing 2>&1 && fail "a bridge leads to no daemon"
grep -q "does not answer" nothing || fail "the bridge says: $(cat nothing)"
echo "GET / HTTP/1.0" | expect_failure 2 tessera bridge

echo "# each fault is told"
cat >>/etc/ssh/ssh_config <<END
Host stranger bare noisy
    HostName server.example.org
    User ${far%@*}
    IdentityFile /etc/ssh/%n_key
END
for name in stranger bare noisy; do
    ssh-keygen -q -t ed25519 -N '' -f "/etc/ssh/${name}_key"
done
{
    echo "command=\"/nowhere/tessera bridge\" $(cat /etc/ssh/bare_key.pub)"
    echo "command=\"echo Welcome; tessera bridge --ahead\" $(cat /etc/ssh/noisy_key.pub)"
} >>/etc/ssh/authorized_keys
expect_failure 8 near tessera --host stranger status
[[ $output == *"Permission denied"*"no connection to stranger by ssh"* ]] || fail "a wrong key: $output"
expect_failure 8 near tessera --host bare status
[[ $output == *"tessera is not installed on bare"* ]] || fail "without tessera: $output"
expect_failure 8 near tessera --host noisy status
[[ $output == *"shell there prints something"* ]] || fail "a start-up file that prints: $output"
expect_failure 8 near tessera --host nowhere.invalid status
[[ $output == *"no connection to nowhere.invalid by ssh"* ]] || fail "an unknown host: $output"
expect_failure 8 near tessera --host "$far" --socket /run/tessera/other status
[[ $output == *"tesserad is not running on $far"* ]] || fail "without a daemon: $output"

echo "# the connection breaks off: the job does not"
held() { # N APDU: card N does not answer
    card_control "$1" "hold-at 1" >/dev/null
}
card_is_asked() {
    [ "$(tessera --json job list | jq '[.[] | select(.state == "running")] | length')" = 1 ]
}
succeeded() {
    [ "$(tessera --json job show "$1" | jq -r .state)" = succeeded ]
}
held 0
near tessera --host "$far" card change-pin reader:1 --pin-file pin --new-pin-file other-pin >broken 2>&1 &
change=$!
wait_for 30 card_is_asked
pkill -KILL -x ssh
status=0
wait "$change" || status=$?
[ "$status" = 8 ] || fail "status $status without a connection: $(cat broken)"
grep -q "job [0-9]* goes on at $far.*the connection to $far broke off" broken || fail "it says: $(cat broken)"
number=$(sed -n 's/.*job \([0-9]*\) goes on.*/\1/p' broken)
card_control 0 "hold-at 0" >/dev/null
expect_output "succeeded" near tessera --host "$far" job wait "$number"

held 1
log_in_and tessera card issue --reader 2 --template ec --holder name='Grace Hopper' \
    --holder email=grace@example.org --holder upn=grace@EXAMPLE.ORG >broken 2>&1 &
issue=$!
wait_for 30 card_is_asked
end_ssh
status=0
wait "$issue" || status=$?
[ "$status" != 0 ] || fail "an issue succeeded without a connection: $(cat broken)"
grep -q "job [0-9]* goes on at $far" broken || fail "it says: $(cat broken)"
number=$(sed -n 's/.*job \([0-9]*\) goes on.*/\1/p' broken)
card_control 1 "hold-at 0" >/dev/null
wait_for 60 succeeded "$number"
expect_output "yubikey-10000002: active" log_in_and tessera card activate reader:2 --new-pin-file pin

echo "# Ctrl-C is for the job and not for ssh"
held 0
setsid env --default-signal=INT -u TESSERA_SESSION TESSERA_HOST="$far" "$TESSERA_BUILD/tessera" \
    card change-pin reader:1 --pin-file other-pin --new-pin-file pin >interrupted 2>&1 &
change=$!
wait_for 30 card_is_asked
kill -INT -- "-$change"
wait_for 10 grep -q cancelling interrupted
card_control 0 "hold-at 0" >/dev/null
wait "$change" || fail "an interrupt ended the connection: $(cat interrupted)"

echo "# the names of hosts are completed"
# shellcheck source=data/tessera.bash-completion
source "$TESSERA_SOURCE/data/tessera.bash-completion"
completed() { # WORDS...: what the Tab key makes of them
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _tessera
    echo "${COMPREPLY[*]}"
}
[ "$(completed tessera --host de)" = desk ] || fail "--host de: $(completed tessera --host de)"
[ "$(completed tessera --host ada@de)" = ada@desk ] || fail "--host ada@de: $(completed tessera --host ada@de)"
[ "$(completed tessera --host desk stat)" = status ] || fail "after --host: $(completed tessera --host desk stat)"
[ "$(completed tessera --ho)" = --host ] || fail "--ho: $(completed tessera --ho)"

echo "# few round trips"
link() { # TRIPS CMD...: over a slow link CMD takes at most so many
    local most=$1 trips
    shift
    rm -f trips
    TESSERA_LINK_MS=50 TESSERA_LINK_COUNT=$PWD/trips TESSERA_SSH=$TESSERA_SOURCE/tests/lib/far-link \
        tessera_plain --host there "$@" >/dev/null
    trips=$(cat trips)
    [ "$trips" -le "$most" ] || fail "$trips round trips: tessera $*"
}
# One is the greeting. A login and a list of who is logged in take one each.
link 2 status
link 2 reader list
link 5 login --reader "$owner" --pin-file "$owner_pin" -- tessera status
link 5 login --reader "$owner" --pin-file "$owner_pin" -- tessera card list

stop_daemon
expect_failure 8 near tessera --host "$far" status
[[ $output == *"tesserad is not running on $far"* ]] || fail "without tesserad: $output"
stop_server
expect_failure 8 near tessera --host "$far" status
[[ $output == *"Connection refused"* ]] || fail "without sshd: $output"
