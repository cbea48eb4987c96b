#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# agents that flood, say nonsense or say nothing get no further than their own readers
"""org.tessera1.ReaderAgent, spoken by a user without rights as no honest agent does."""
import os
import subprocess
import sys
import time

import dbus
import dbus.connection
import dbus.lowlevel

ATR = bytes.fromhex("3bfd1300008131fe158073c021c057597562694b657940")
ROOT = "/org/tessera1"


def check(fine, otherwise):
    if not fine:
        sys.exit(f"FAILED: {otherwise}")


class Agent:
    """answers: what each command is answered with: bytes, an exception, or None for silence."""

    def __init__(self, answers=None):
        self.bus = dbus.connection.Connection("unix:path=" + os.environ["TESSERA_SOCKET"])
        self.answers = answers
        self.commands = []
        self.bus.add_message_filter(self.take)

    def call(self, method, signature="", *arguments):
        try:
            return self.bus.call_blocking(None, ROOT, "org.tessera1.ReaderAgent", method, signature,
                                          arguments, timeout=30)
        except dbus.DBusException as error:
            return error.get_dbus_name().rsplit(".", 1)[1]

    def take(self, _bus, message):
        if message.get_type() != dbus.lowlevel.MESSAGE_TYPE_METHOD_CALL:
            return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED
        self.commands.append((message.get_member(), message.get_args_list()))
        return dbus.lowlevel.HANDLER_RESULT_HANDLED

    def offer(self, name="Reader", machine="desk"):
        return self.call("OfferReader", "ss", machine, name)

    def insert(self, reader, atr=ATR):
        return self.call("InsertCard", "oayub", reader, dbus.ByteArray(atr), dbus.UInt32(65535), False)


def tessera(*arguments):
    return subprocess.run(["tessera", *arguments], text=True, capture_output=True, timeout=60, check=False)


def readers():
    """Names, as everybody sees them."""
    return tessera("reader", "list").stdout


def as_stranger():
    """What a user without rights tries; in a process of its own."""
    uid = int(subprocess.run(["id", "-u", "grace"], check=True, text=True, capture_output=True).stdout)
    os.setgid(uid)
    os.setgroups([])
    os.setuid(uid)

    agent = Agent()
    for machine, name in (("a desk", "x"), ("a@b", "x"), ("a:b", "x"), ("", "x"), ("desk", ""), ("desk", "x" * 129),
                          ("x" * 129, "x"), ("desk", "a\nb"), ("desk", "\x1b[2J"), ("desk", "a\u0085b"), ("desk\x7f", "a")):
        check(agent.offer(name, machine) == "InvalidArgument", f"{machine!r} {name!r} is taken")
    check("Yubico YubiKey" in readers(), "the readers here have gone")
    offered = [agent.offer(f"Reader {number}") for number in range(8)]
    check(all(path.startswith(ROOT) for path in offered), f"eight readers cannot be offered: {offered}")
    check(agent.offer("one more") == "Busy", "a user offers a ninth reader")
    check(Agent().offer("one more") == "Busy", "another connection of the user offers a ninth reader")
    check("grace@desk: Reader 3" in readers(), f"readers do not bear their user's name: {readers()}")
    for atr in (b"", ATR * 2):
        check(agent.insert(offered[0], atr) == "InvalidArgument", f"{len(atr)} bytes are an ATR")
    other = Agent()
    for path in (offered[0], f"{ROOT}/reader/1", f"{ROOT}/reader/999", ROOT, f"{ROOT}/reader/x"):
        for method in ("RemoveCard", "WithdrawReader"):
            check(other.call(method, "o", path) == "NotFound", f"{method} touches {path}")
    check(agent.call("WithdrawReader", "o", offered[7]) is None, "a reader cannot be withdrawn")
    check(agent.call("WithdrawReader", "o", offered[7]) == "NotFound", "a reader is withdrawn twice")
    # The same name again is the same reader: its agent has come again.
    again = other.offer("Reader 0")
    check(again == offered[0], f"a reader comes again as {again}, not {offered[0]}")
    check(agent.insert(offered[0]) == "NotFound", "who was replaced still has the reader")

    # Cards that say nothing: everybody else goes on at once.
    for path in offered[1:7]:
        check(agent.insert(path) is None, "no card can be put in")
    begin = time.monotonic()
    for path in offered[1:7]:
        check(agent.insert(path) is None, "no other card can be put in")
        check(agent.call("RemoveCard", "o", path) is None, "a card cannot be taken out")
        check(agent.insert(path) is None, "a card cannot be put in again")
    check(time.monotonic() - begin < 10, "an agent that changes its mind waits")
    result = tessera("card", "list")
    check(result.returncode == 4, f"an agent has a right: {result.stdout}")

    # Too often; whoever goes away takes all along.
    answers = {agent.insert(offered[1]) for _ in range(260)}
    check("Busy" in answers, f"there is no end to insertions: {answers}")
    print("ready", flush=True)
    sys.stdin.readline()


def main():
    with subprocess.Popen([sys.executable, __file__, "stranger"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as stranger:
        line = stranger.stdout.readline()
        check(line == "ready\n", f"the stranger says {line!r}")
        # Six cards that say nothing are in readers now.
        begin = time.monotonic()
        result = tessera("card", "issue", "--reader", "1", "--template", "ec", "--holder", "name=Ada", "--holder",
                         "email=ada@example.org", "--holder", "upn=ada@example.org")
        check(result.returncode == 0, f"a card here cannot be issued: {result.stderr}")
        result = tessera("card", "find", "Ada")
        check("yubikey-10000001" in result.stdout, f"the card is not found: {result.stderr}")
        check(time.monotonic() - begin < 15, "somebody else's silence is waited for")
        stranger.communicate("\n")
        check(stranger.returncode == 0, "the stranger has found something")
    for _ in range(500):
        if "grace@" not in readers():
            break
        time.sleep(0.02)
    check("grace@" not in readers(), f"readers outlive their agent: {readers()}")
    check(tessera("audit", "verify").returncode == 0, "the audit trail is broken")


if "stranger" in sys.argv:
    as_stranger()
else:
    main()
