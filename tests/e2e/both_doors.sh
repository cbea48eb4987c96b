#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# both doors check rights, survive the bus and strange callers, and tell of changes
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

root=/org/tessera1
manager=org.tessera1.Manager

as_ada() {
    env -u TESSERA_SESSION setpriv --reuid ada --regid ada --clear-groups "$@"
}

# private CMD...: run with the private socket in place of the system bus.
private() {
    DBUS_SYSTEM_BUS_ADDRESS=unix:path=$TESSERA_SOCKET "$@"
}

call() {
    busctl --no-pager call org.tessera1 "$@"
}

served_on_the_bus() {
    call "$root" org.freedesktop.DBus.Peer Ping >/dev/null 2>&1
}

wait_for 10 bash -c 'busctl --no-pager get-property org.tessera1 /org/tessera1/reader/1 \
    org.tessera1.Reader CardType | grep -q yubikey'

# session CMD...: run over the connection that the owner has logged in on.
session() {
    DBUS_SYSTEM_BUS_ADDRESS=unix:path=$TESSERA_SESSION "$@"
}

# Rights: who has not logged in reads readers and is refused the rest, on both doors.
for door in "" private; do
    expect_output yubikey-5 $door as_ada busctl --no-pager get-property org.tessera1 \
        $root/reader/1 org.tessera1.Reader CardType
    expect_failure any $door as_ada busctl --no-pager call org.tessera1 $root $manager VerifyAudit
    [[ $output == *"log in"* ]] || fail "the refusal says: $output"
    expect_failure any $door as_ada busctl --no-pager get-property org.tessera1 \
        $root/template/employee org.tessera1.Template Document
    expect_output '"/org/tessera1/reader/1"' $door as_ada busctl --no-pager call org.tessera1 \
        $root org.freedesktop.DBus.ObjectManager GetManagedObjects
    [[ $output != */org/tessera1/template/* ]] || fail "templates are shown to everyone"
done
expect_output '"/org/tessera1/template/employee"' session busctl --no-pager call org.tessera1 \
    $root org.freedesktop.DBus.ObjectManager GetManagedObjects
expect_output '"verify-audit" "" "AccessDenied"' session call "$root" $manager ListAudit 'a{ss}xu' 0 0 100
expect_output "uid=$(id -u ada)" session call "$root" $manager ListAudit 'a{ss}xu' 0 0 100

# A login belongs to its connection: even root is refused on another one.
session call "$root" $manager VerifyAudit >/dev/null
expect_failure any call "$root" $manager VerifyAudit
expect_failure any private call "$root" $manager VerifyAudit

# The module's interface is not on the system bus.
expect_failure any call "$root" org.tessera1.Provider GetTokens
private call "$root" org.tessera1.Provider GetTokens >/dev/null

# Changes are told on both doors.
stdbuf -oL busctl --no-pager monitor org.tessera1 >bus-signals 2>&1 &
monitor=$!
stdbuf -oL dbus-monitor --address "unix:path=$TESSERA_SOCKET" >private-signals 2>&1 &
private_monitor=$!
wait_for 10 grep -q Monitoring bus-signals
sleep 0.5
card_remove 0
for told in bus-signals private-signals; do
    wait_for 10 grep -q PropertiesChanged "$told"
    wait_for 10 grep -q /org/tessera1/reader/1 "$told"
done
wait_for 10 grep -q TokensChanged private-signals
card_insert 0
kill "$monitor" "$private_monitor"

# The bus goes and comes back: the private socket serves on, then both do.
stop_bus
private call "$root" org.freedesktop.DBus.Peer Ping
start_bus
wait_for 20 served_on_the_bus

# Strange callers: noise, silence, and a great number of connections.
head -c 100000 /dev/urandom >noise
for _ in 1 2 3; do
    /usr/bin/python3 - "$TESSERA_SOCKET" <<'END'
import socket, sys
path = sys.argv[1]
one = socket.socket(socket.AF_UNIX)
one.connect(path)
try:
    one.sendall(open("noise", "rb").read())
except OSError:
    pass
END
done
/usr/bin/python3 - "$TESSERA_SOCKET" "$(id -u ada)" <<'END'
import os, socket, sys, time
path = sys.argv[1]
os.setuid(int(sys.argv[2]))
held = []
for _ in range(600):
    one = socket.socket(socket.AF_UNIX)
    one.connect(path)
    held.append(one)
time.sleep(3)
closed = 0
for one in held:
    one.setblocking(False)
    try:
        closed += one.recv(1) == b""
    except BlockingIOError:
        pass
    except OSError:
        closed += 1
sys.exit(0 if closed == 600 - 512 else f"{closed} of 600 connections were refused")
END
private call "$root" org.freedesktop.DBus.Peer Ping

# A killed daemon's socket is no obstacle; a second daemon is refused.
kill_daemon
start_daemon
expect_failure 1 tesserad --config "$TESSERA_CONFIG"
[[ $output == *"another tesserad"* ]] || fail "the second daemon says: $output"

# Without a bus in the configuration there is the socket alone.
daemon_option 'bus = none'
stop_daemon
start_daemon_unready
wait_for 10 private busctl --no-pager call org.tessera1 $root org.freedesktop.DBus.Peer Ping
! served_on_the_bus || fail "org.tessera1 is on the system bus though it should not be"
