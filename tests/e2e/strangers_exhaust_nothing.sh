#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# users without rights cannot fill the disk, push managers' jobs or connections out, or eat memory and processor time
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

is_read() {
    tessera reader show 1 | grep -q unregistered
}
records() {
    tessera --json audit verify | jq .records
}
# Hundredths of a second of processor time that the daemon has used.
processor_time() {
    awk '{ print $14 + $15 }' "/proc/$(part_target tesserad)/stat"
}
memory_kib() {
    awk '$1 == "VmRSS:" { print $2 }' "/proc/$(part_target tesserad)/status"
}
descriptors() {
    find "/proc/$(part_target tesserad)/fd" -mindepth 1 | wc -l
}
serves_managers() {
    timeout 10 tessera card list | grep -q active
}

wait_for 10 is_read
tessera card issue --reader 1 --template ec --holder "name=Ada Lovelace" \
    --holder email=ada@example.org --holder upn=ada@example.org >/dev/null
printf '271828\n' >pin
tessera card activate --new-pin-file pin >/dev/null
job=$(tessera --json job list | jq '[.[] | select(.operation == "issue")][0].number')

# --- calls that anyone may make, and that fail before the card is asked
cat >flood.py <<'END'
import os, sys
import dbus, dbus.connection
socket, user = sys.argv[1], int(sys.argv[2])
os.setgid(user)
os.setuid(user)
connection = dbus.connection.Connection("unix:path=" + socket)
def call(path, interface, method, signature, *arguments):
    try:
        connection.call_blocking(None, path, "org.tessera1." + interface, method, signature,
                                 arguments, timeout=20)
    except dbus.DBusException as error:
        return error.get_dbus_name()
for _ in range(200):
    call("/org/tessera1/credential/1", "Credential", "ChangePin", "ss", "1", "2")
    call("/org/tessera1", "Provider", "ChangePin", "uayay", 1, b"1", b"2")
    call("/org/tessera1", "Provider", "Login", "uay", 1, b"")
    call("/org/tessera1", "Manager", "VerifyAudit", "")
for name in "0", "01", "1x", "_1", "99999999999999999999", "18446744073709551617":
    error = call("/org/tessera1/credential/" + name, "Credential", "ChangePin", "ss", "1", "2")
    assert error == "org.freedesktop.DBus.Error.UnknownObject", (name, error)
END
before=$(records)
/usr/bin/python3 flood.py "$TESSERA_SOCKET" "$(id -u ada)"
after=$(records)
# A minute may have begun meanwhile.
[ $((after - before)) -le 60 ] || fail "$((after - before)) audit records of refused calls"
[ "$after" -gt "$before" ] || fail "no audit record of refused calls"
expect_output succeeded tessera job show "$job"
expect_output whole tessera audit verify

# --- connections: silent ones, and ones with half of the longest message that is taken
cat >hold.py <<'END'
import os, resource, signal, socket, struct, sys, time
path, kind, users = sys.argv[1], sys.argv[2], int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
LENGTH = 1000 * 1000
def field(code, signature, value):
    data = bytes([code, 1]) + signature + b"\0"
    data += struct.pack("<I", len(value)) + value + b"\0"
    return data + bytes(-len(data) % 8)
def half_a_message():
    fields = field(1, b"o", b"/org/tessera1") + field(3, b"s", b"Ping") + b"\x08\x01g\0\x02ay\0"
    header = b"l\1\0\1" + struct.pack("<III", LENGTH, 1, len(fields)) + fields
    return header + bytes(-len(header) % 8) + struct.pack("<I", LENGTH - 4) + bytes(LENGTH - 100)
def hold(user):
    os.setuid(user)
    held = []
    for _ in range(128):
        one = socket.socket(socket.AF_UNIX)
        held.append(one)
        one.settimeout(10)
        try:
            one.connect(path)
            if kind == "half":
                one.sendall(b"\0AUTH EXTERNAL " + str(user).encode().hex().encode() + b"\r\n")
                one.recv(100)
                one.sendall(b"BEGIN\r\n" + half_a_message())
        except OSError:
            pass
    os.write(1, b"held\n")
    time.sleep(600)
def end(number, frame):
    for child in children:
        os.kill(child, signal.SIGKILL)
    sys.exit(0)
children = []
for user in range(7001, 7001 + users):
    child = os.fork()
    if child == 0:
        hold(user)
    children.append(child)
signal.signal(signal.SIGTERM, end)
signal.pause()
END
all_hold() {
    [ "$(grep -c held held)" = 4 ]
}
for kind in silent half; do
    memory=$(memory_kib)
    /usr/bin/python3 hold.py "$TESSERA_SOCKET" "$kind" 4 >held &
    holder=$!
    wait_for 60 all_hold
    serves_managers || fail "no room for a manager beside $kind connections"
    time=$(processor_time)
    sleep 2
    used=$(($(processor_time) - time))
    [ "$used" -lt 100 ] || fail "$kind connections cost $used % of two seconds of a processor"
    grown=$(($(memory_kib) - memory))
    [ -n "$TESSERA_PRELOAD" ] || [ "$grown" -lt 65536 ] ||
        fail "$kind connections cost $grown KiB"
    kill "$holder"
    wait "$holder"
done
few_descriptors() {
    [ "$(descriptors)" -lt 40 ]
}
wait_for 20 few_descriptors
serves_managers || fail "no service after the strangers have gone"
