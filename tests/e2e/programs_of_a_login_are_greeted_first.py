#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# a program that joins a login gets the answer of its Hello before any signal, which sd-bus would take for that answer
"""Two programs on the socket of the sandbox's login, which speak D-Bus byte by byte."""
import os
import socket
import struct
import sys

sys.path.insert(0, os.environ["TESSERA_SOURCE"] + "/tests/lib")
from checks import done, expect, tessera  # noqa: E402

RETURN, SIGNAL = 2, 4
MATCH = "type='signal'"


def padded(data):
    return data + bytes(-len(data) % 8)


def text(value):
    return struct.pack("<I", len(value)) + value.encode() + b"\0"


def field(code, kind, value):
    return struct.pack("<BBc", code, 1, kind.encode()) + b"\0" + value


class Program:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(os.environ["TESSERA_SESSION"])
        self.serial = 0
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        expect(True, self.socket.recv(100).startswith(b"OK "))
        self.socket.sendall(b"BEGIN\r\n")

    def call(self, member, argument=None):
        """A method of the message bus."""
        self.serial += 1
        body = b"" if argument is None else text(argument)
        fields = [field(1, "o", text("/org/freedesktop/DBus")), field(2, "s", text("org.freedesktop.DBus")),
                  field(3, "s", text(member)), field(6, "s", text("org.freedesktop.DBus"))]
        if body:
            fields.append(field(8, "g", b"\x01s\0"))
        together = b"".join(padded(each) for each in fields[:-1]) + fields[-1]
        self.socket.sendall(struct.pack("<cBBBIII", b"l", 1, 0, 1, len(body), self.serial, len(together)) +
                            padded(together) + body)

    def bytes(self, count):
        data = b""
        while len(data) < count:
            data += self.socket.recv(count - len(data)) or sys.exit("FAILED: the connection has ended")
        return data

    def receive(self):
        """The kind of the next message."""
        _, kind, _, _, body, _, fields = struct.unpack("<cBBBIII", self.bytes(16))
        self.bytes(fields + -fields % 8 + body)
        return kind


os.chdir(os.environ["TESSERA_SANDBOX"] + "/tmp")
early, late = Program(), Program()
early.call("Hello")
expect(RETURN, early.receive())
early.call("AddMatch", MATCH)
expect(RETURN, early.receive())
open("pin", "w").write("271828\n")
tessera("slot", "add", "web", "--create", "--pin-file", "pin")
expect(SIGNAL, early.receive())
done("a program is told what changes")
late.call("Hello")
expect(RETURN, late.receive())
done("one that has not said Hello yet is told nothing before")
tessera("slot", "remove", "web")
expect(SIGNAL, late.receive())
done("and what changes from then on")
