#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# as systemd starts it, without privileges, the daemon does its work, tells the service manager how it is, and keeps secrets out of swap and core dumps
# sandbox: --no-daemon --owner
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
printf '271828\n' >pin
pin_file=$TESSERA_SANDBOX/kept/token-pin

write_daemon_config
chown -R tessera:tessera "$TESSERA_STATE" "$pin_file" /run/tessera
chmod 0600 "$pin_file"

# What systemd is told, one message a line.
cat >listen.py <<'END'
import os, socket
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("notify")
os.chmod("notify", 0o666)
with open("told", "w", buffering=1) as told:
    while True:
        told.write(listener.recv(4096).decode() + "\n")
END
start_part listener python3 listen.py
wait_for 5 test -S notify

# User, no capabilities, watchdog: as in data/tesserad.service.in; but with core dumps, as far as
# they are allowed here.
start_part tesserad env NOTIFY_SOCKET="$PWD/notify" WATCHDOG_USEC=400000 \
    prlimit --core="$(ulimit -Hc)" \
    setpriv --reuid tessera --regid tessera --clear-groups --inh-caps=-all --bounding-set=-all \
    --no-new-privs tesserad --config "$TESSERA_CONFIG"
wait_for_part tesserad daemon_owns_name
start_owner
pid=$(part_pid tesserad)

told() {
    [ "$(grep -c "^$1\$" told)" -ge "$2" ]
}
wait_for 5 told READY=1 1
wait_for 5 told WATCHDOG=1 5

# Nothing of it is readable for its own user, and it leaves no core dump.
status_is() {
    [ "$(awk -v key="$1:" '$1 == key { print $2 }' "/proc/$pid/status")" = "$2" ] ||
        fail "/proc/PID/status says $(grep "^$1:" "/proc/$pid/status")"
}
status_is Uid "$(id -u tessera)"
status_is CapEff 0000000000000000
status_is NoNewPrivs 1
grep -qE '^Max core file size +0 +0 ' "/proc/$pid/limits" || fail "core dumps: $(cat "/proc/$pid/limits")"
expect_failure any setpriv --reuid tessera --regid tessera --clear-groups cat "/proc/$pid/environ"
expect_failure any setpriv --reuid tessera --regid tessera --clear-groups head -c 1 "/proc/$pid/mem"
[ "$(find "$TESSERA_STATE" -perm /077 | wc -l)" = 0 ] || fail "others may read: $(find "$TESSERA_STATE" -perm /077)"

# The whole way of a card; while the card is asked, secrets lie in locked memory.
card_is_read() {
    [ "$(tessera --json reader show 1 | jq -r .state)" = unregistered ]
}
wait_for 10 card_is_read
card_control 0 reset-count >/dev/null
card_control 0 "hold-at 15" >/dev/null
tessera card issue --reader 1 --template ec --holder name=Ada --holder email=ada@example.org \
    --holder upn=ada@example.org >issued 2>&1 &
issuing=$!
card_is_held() {
    [ "$(card_control 0 held)" = 1 ]
}
wait_for 20 card_is_held
# A sanitizer makes mlock(2) do nothing.
locked=$(awk '/^VmLck:/ { print $2 }' "/proc/$pid/status")
[ "$locked" -gt 0 ] || [ -n "$TESSERA_PRELOAD" ] || fail "no memory is locked while a card is issued"
[ "$locked" -lt 16384 ] || fail "$locked KiB are locked"
# The service manager is told that all is well meanwhile.
before=$(grep -c '^WATCHDOG=1$' told)
wait_for 5 told WATCHDOG=1 $((before + 3))
card_control 0 "hold-at 0" >/dev/null
wait "$issuing" || fail "not issued: $(cat issued)"
tessera card activate --new-pin-file pin >/dev/null
echo data >data
foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin 271828 --id 01 --sign \
    --mechanism ECDSA-SHA256 --input-file data --output-file signature >/dev/null 2>&1

# A loop that hangs stays silent, so that systemd notices.
freeze "$pid"
sleep 0.5
before=$(grep -c '^WATCHDOG=1$' told)
sleep 1
[ "$(grep -c '^WATCHDOG=1$' told)" = "$before" ] || fail "a stopped daemon still tells that all is well"
kill -CONT "$pid"

stop_daemon
told STOPPING=1 1 || fail "the stop was not announced: $(cat told)"
stop_part listener TERM
