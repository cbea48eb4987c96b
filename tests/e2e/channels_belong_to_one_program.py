#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# channels carry a program's uses of keys, with its logins and no others, whatever bytes come over them
"""OpenChannel of org.tessera1.Provider, spoken here as the PKCS#11 module does."""
import ctypes
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import dbus
import dbus.connection

sys.dont_write_bytecode = True
sys.path.insert(0, os.environ["TESSERA_SOURCE"] + "/tests/lib")
from checks import done, expect  # noqa: E402
from cryptoki import Program, Worker, environment_of_programs  # noqa: E402

PIN = "271828"
CKM_ECDSA = 0x1041
ADDRESS = os.environ["TESSERA_SOCKET"]
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"


class Connection:
    """One program as the daemon sees it."""

    def __init__(self):
        self.bus = dbus.connection.Connection("unix:path=" + ADDRESS)

    def call(self, method, signature="", *arguments):
        try:
            return self.bus.call_blocking(None, "/org/tessera1", "org.tessera1.Provider", method,
                                          signature, arguments, timeout=30)
        except dbus.DBusException as error:
            return error.get_dbus_name().rsplit(".", 1)[1]

    def channel(self):
        answer = self.call("OpenChannel")
        return answer if isinstance(answer, str) else Channel(answer.take())

    def login(self, slot):
        return self.call("Login", "uay", dbus.UInt32(slot), dbus.ByteArray(PIN.encode()))

    def logout(self, slot):
        return self.call("Logout", "u", dbus.UInt32(slot))


def question(slot, key, operation=b"sign", parameter=b"", pin=b"", data=bytes(32)):
    return struct.pack(">IIIIIIB", slot, key, CKM_ECDSA, len(parameter), len(pin), len(data),
                       len(operation)) + operation + parameter + pin + data


class Channel:
    def __init__(self, descriptor):
        self.socket = socket.socket(fileno=descriptor)
        self.socket.settimeout(60)

    def ask(self, message):
        """The output, the name of the error, or None when the channel has ended."""
        try:
            self.socket.send(message)
            answer = self.socket.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            return None
        if not answer:
            return None
        if answer[0] == 0:
            return answer[1:]
        length = answer[5]
        return answer[6:6 + length].decode().rsplit(".", 1)[1]

    def signs(self, slot, key):
        answer = self.ask(question(slot, key))
        return "OK" if isinstance(answer, bytes) and len(answer) == 64 else answer


def make_slot():
    with open("pin", "w", encoding="ascii") as file:
        file.write(PIN + "\n")
    subprocess.run(["tessera", "slot", "add", "web", "--create", "--pin-file", "pin"],
                   check=True, stdout=subprocess.DEVNULL)
    environment = dict(os.environ, SOFTHSM2_CONF=os.environ["TESSERA_STATE"] + "/token/softhsm2.conf")
    subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "web", "--login", "--pin", PIN,
                    "--keypairgen", "--key-type", "EC:prime256v1", "--label", "tls", "--id", "01"],
                   check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["tessera", "slot", "test", "web"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def find_key(connection):
    """The numbers of the slot and of its private key, which a login shows."""
    slot = next(int(token[0]) for token in connection.call("GetTokens")[1] if token[0] >= 65536)
    connection.login(slot)
    for item in connection.call("GetObjects", "uu", dbus.UInt32(slot), dbus.UInt32(0))[2]:
        attributes = {int(kind): bytes(value) for kind, value in item[5]}
        if attributes[0] == struct.pack("L", 3):
            connection.logout(slot)
            return slot, int(item[0])
    sys.exit("FAILED: the slot shows no private key")


def await_end(channel, slot, key):
    """The daemon sees the end of a connection a moment after it."""
    deadline = time.monotonic() + 60
    while channel.signs(slot, key) is not None:
        if time.monotonic() > deadline:
            sys.exit("FAILED: a channel outlives its connection")


def logins_are_shared(slot, key):
    connection, stranger = Connection(), Connection()
    channels = [connection.channel() for _ in range(2)]
    foreign = stranger.channel()
    expect("PinRequired", *(channel.signs(slot, key) for channel in channels))
    connection.login(slot)
    expect("OK", *(channel.signs(slot, key) for channel in channels))
    expect("PinRequired", foreign.signs(slot, key))
    expect("AlreadyLoggedIn", connection.login(slot))
    connection.logout(slot)
    expect("PinRequired", *(channel.signs(slot, key) for channel in channels))
    connection.login(slot)
    expect("OK", channels[0].signs(slot, key))
    connection.bus.close()
    for channel in channels:
        await_end(channel, slot, key)
    done("channels have the logins of their connection and no others, and end with it")


def hostile_bytes(slot, key):
    connection = Connection()
    connection.login(slot)
    channel = connection.channel()
    whole = question(slot, key)
    for length in range(1, len(whole)):
        expect("InvalidArgument", channel.ask(whole[:length]))
    expect("InvalidArgument", channel.ask(whole + b"x"), channel.ask(bytes(20000)),
           channel.ask(b"\xff" * 16384), channel.ask(b"\xff" * 29),
           channel.ask(question(slot, key, operation=b"sing")),
           channel.ask(question(slot, key, operation=b"")),
           channel.ask(question(slot, key, operation=b"x" * 255)))
    expect("NotFound", channel.ask(question(slot + 77, key)), channel.ask(question(77, key)),
           channel.ask(question(0xffffffff, key)), channel.ask(question(slot, 0xffffffff)),
           channel.ask(question(0, 0)))
    random = os.urandom(16384)
    for i in range(500):
        channel.ask(random[i * 29:i * 29 + 29 + i % 40])
    expect("OK", channel.signs(slot, key))
    done("bytes that are no question are refused, and the channel goes on")


def greedy(slot, key):
    connection, other = Connection(), Connection()
    for one in connection, other:
        one.login(slot)
    channels = [connection.channel() for _ in range(8)]
    expect("OK", *(channel.signs(slot, key) for channel in channels))
    expect("Busy", connection.channel())
    channels[0].socket.close()
    deadline = time.monotonic() + 60
    while isinstance(last := connection.channel(), str):
        expect("Busy", last)
        if time.monotonic() > deadline:
            sys.exit("FAILED: a channel that was closed still counts")
        time.sleep(0.05)
    # Asks on and on, and takes no answer: what the kernel keeps of them has an end.
    channels[1].socket.settimeout(60)
    try:
        while True:
            channels[1].socket.send(question(slot, key, operation=b"sing"))
    except (BrokenPipeError, ConnectionResetError):
        pass
    expect("OK", last.signs(slot, key), other.channel().signs(slot, key))
    done("a program has eight channels at most, and who takes no answers is cut off")


def without_descriptors():
    """A connection that has not agreed to pass descriptors, as few programs would."""
    one = socket.socket(socket.AF_UNIX)
    one.connect(ADDRESS)
    one.settimeout(60)
    one.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
    one.recv(200)

    fields = b""
    for code, kind, text in (1, b"o", b"/org/tessera1"), (2, b"s", b"org.tessera1.Provider"), \
            (3, b"s", b"OpenChannel"):
        fields += bytes(-len(fields) % 8)
        fields += bytes([code, 1]) + kind + b"\0" + struct.pack("<I", len(text)) + text + b"\0"
    one.sendall(b"BEGIN\r\n" + b"l\1\0\1" + struct.pack("<III", 0, 7, len(fields)) + fields +
                bytes(-len(fields) % 8))
    answer = one.recv(1000)
    if b"org.tessera1.Error.NotSupported" not in answer:
        sys.exit(f"FAILED: {answer!r}")
    done("who takes no descriptors is told so")


def threads_of_one_program(slot):
    """Through the module, with the program's own PIN; a logout is every thread's."""
    worker = Worker()
    worker.initialize()
    worker.open(slot)
    worker.login(PIN)
    failures, signatures = [], set()

    def sign():
        mine = Worker.__new__(Worker)
        mine.table, mine.session = worker.table, ctypes.c_ulong(0)
        try:
            mine.open(slot)
            for _ in range(50):
                signatures.add(mine.sign(1, elliptic=True))
        except Exception as error:  # pylint: disable=broad-except
            failures.append(repr(error))

    for _ in range(2):
        threads = [threading.Thread(target=sign) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    expect([], failures)
    expect(1200, len(signatures))
    handle = worker.key(1)
    other = Worker.__new__(Worker)
    other.table, other.session = worker.table, ctypes.c_ulong(0)
    other.open(slot)
    other.logout()
    try:
        worker.sign(1, handle=handle, elliptic=True)
        sys.exit("FAILED: a signature after another thread's logout")
    except Exception as refusal:  # pylint: disable=broad-except
        if str(refusal) not in ("USER_NOT_LOGGED_IN", "KEY_HANDLE_INVALID"):
            sys.exit(f"FAILED: {refusal} after another thread's logout")
    worker.finalize()
    done("threads of a program sign at once with its own PIN")


def killed_while_signing(slot):
    """Programs that are killed in the middle leave nothing behind."""
    for _ in range(5):
        program = Program(slot)
        expect("OK", program("login", PIN))
        for _ in range(3):
            program("sign", 1, elliptic=True)
        program.start("sign", 1, elliptic=True)
        program.process.kill()
        program.process.wait()
    survivor = Program(slot)
    expect("USER_NOT_LOGGED_IN" if len(survivor("sign", 1, elliptic=True)) < 100 else "signed",
           "USER_NOT_LOGGED_IN")
    expect("OK", survivor("login", PIN))
    expect(128, len(survivor("sign", 1, elliptic=True)))
    survivor.end()
    done("programs that are killed in the middle of a signature leave no login behind")


def a_daemon_that_hangs(slot):
    """The time-out of a call is the program's; the answer that comes too late is nobody's."""
    daemon = int(subprocess.run(["bash", "-c", 'source "$TESSERA_SOURCE/tests/lib/sandbox.sh"; '
                                 "part_target tesserad"], check=True, capture_output=True).stdout)
    os.environ["TESSERA_PKCS11_TIMEOUT"] = "15"
    program = Program(slot)
    expect("OK", program("login", PIN))
    for _ in range(3):
        expect(128, len(program("sign", 1, elliptic=True)))
    subprocess.run(["bash", "-c", f'source "$TESSERA_SOURCE/tests/lib/sandbox.sh"; freeze {daemon}'], check=True)
    try:
        program.start("sign", 1, elliptic=True)
        if not select.select([program.process.stdout], [], [], 50)[0]:
            sys.exit("FAILED: no answer long after the time-out")
        expect("DEVICE_ERROR", program.answer())
    finally:
        os.kill(daemon, signal.SIGCONT)
    expect(128, *(len(program("sign", 1, elliptic=True)) for _ in range(3)))
    program.end()
    done("a call ends with its time-out when the daemon hangs, and the next one works")


def main():
    os.chdir(os.environ["TESSERA_SANDBOX"] + "/tmp")
    make_slot()
    slot, key = find_key(Connection())
    logins_are_shared(slot, key)
    hostile_bytes(slot, key)
    greedy(slot, key)
    without_descriptors()
    subprocess.run([sys.executable, __file__, str(slot)], check=True, env=environment_of_programs())
    killed_while_signing(slot)
    a_daemon_that_hangs(slot)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        threads_of_one_program(int(sys.argv[1]))
    else:
        main()
