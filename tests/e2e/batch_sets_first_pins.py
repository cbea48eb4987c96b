#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# a batch by a template that activates at issue asks for PINs, or shows them, and loses none
# sandbox: --cards blank,blank
# time limit: 300
"""tessera card batch and card replace, with first PINs at issue."""
import csv
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

os.chdir(os.environ["TESSERA_SANDBOX"] + "/tmp")

PATIENCE = 60  # seconds
FIRST = "yubikey-10000001"
TEMPLATE = {"name": "ready", "card-type": "piv", "issue": {"auto-initiate": True},
            "keys": [{"slot": "authentication", "algorithm": "ec-p256"}],
            "pin-policy": {"minimum-length": 6, "maximum-length": 8, "characters": "digits",
                           "weak-list": "shipped"}}
SHOWN = re.compile(r"row (\d) of \d: ([^,]*), card (\S*), has the PIN (\d{6})\s")


def fail(*words):
    sys.exit("FAILED: " + " ".join(str(word) for word in words))


def tessera(*arguments, fails=None, status=None):
    done = subprocess.run(("tessera", "--json") + arguments, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", check=False,
                          start_new_session=True)  # without a terminal
    if (done.returncode != 0) != (fails is not None):
        fail(arguments, done.returncode, done.stdout, done.stderr)
    if fails is not None:
        if fails not in done.stderr or (status and done.returncode != status):
            fail(arguments, f"no '{fails}' in", done.returncode, done.stderr)
        return None
    return json.loads(done.stdout) if done.stdout else None


def write(name, text):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    return name


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def result(table, row):
    with open(table + ".result.csv", newline="", encoding="utf-8") as file:
        return next(line for line in csv.DictReader(file) if line["row"] == str(row))


def expect(table, row, outcome):
    if result(table, row)["outcome"] != outcome:
        fail(f"row {row} of {table}:", result(table, row), "is not", outcome)


def wait_for(what, condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            fail("still not:", what)
        time.sleep(0.1)


class Terminal:
    """A command with a terminal of its own; its standard output and error are files."""

    def __init__(self, *arguments):
        self.seen = ""
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.dup2(os.open("out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
            os.dup2(os.open("err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
            os.execvp("tessera", ("tessera",) + arguments)

    def expect(self, pattern):
        """Waits until the terminal shows it; what was shown up to its end is done with."""
        until = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.seen)):
            if time.monotonic() > until:
                fail(f"the terminal does not show {pattern!r} but {self.seen!r};", read("err"))
            if select.select([self.end], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.end, 4096).decode()
                except OSError:
                    fail(f"ended without {pattern!r}: {self.seen!r};", read("err"))
        self.seen = self.seen[found.end():]
        return found

    def type(self, text):
        os.write(self.end, text.encode())

    def type_pin(self, pin, again=None):
        # Echo is off from the prompt on only; earlier input is thrown away.
        for text, prompt in ((pin, "New PIN: "), (again or pin, "New PIN again: ")):
            self.expect(prompt)
            wait_for("the terminal's echo is off", lambda: not self.echoes())
            self.type(text + "\n")

    def echoes(self):
        return termios.tcgetattr(self.end)[3] & termios.ECHO

    def ends(self, status):
        """status: or None for any but success."""
        got = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.end)
        if got != status if status is not None else got == 0:
            fail(f"status {got}:", read("out"), read("err"))

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.end)


def works(serial, pin):
    """Whether the card has that PIN; it is changed there and back."""
    write("old", pin + "\n")
    write("new", "161803\n")
    done = subprocess.run(["tessera", "card", "change-pin", serial, "--pin-file", "old",
                           "--new-pin-file", "new"], capture_output=True, check=False)
    if done.returncode == 0:
        tessera("card", "change-pin", serial, "--pin-file", "new", "--new-pin-file", "old")
    os.unlink("old")
    return done.returncode == 0


def is_nowhere(*pins):
    for pin in pins:
        found = subprocess.run(["grep", "-rlw", pin, ".", os.environ["TESSERA_SANDBOX"] + "/log"],
                               stdout=subprocess.PIPE, encoding="utf-8", check=False).stdout
        if found:
            fail("the PIN is in", found)


def next_card():
    tessera("card", "retire", FIRST, "--yes")


def batch(*options):
    return Terminal("card", "batch", "people.csv", "--template", "ready", "--reader", "1",
                    *options)


def made_pins_are_shown_until_they_are_noted():
    write("people.csv", "name\nAda Lovelace\nGrace Hopper\n")
    terminal = batch("--generate-pin")
    row, name, serial, first = terminal.expect(SHOWN).groups()
    if (row, name, serial) != ("1", "Ada Lovelace", FIRST):
        fail("the PIN is shown as that of", row, name, serial)
    expect("people", 1, "started")
    terminal.kill()
    terminal = batch("--generate-pin")
    second = terminal.expect(SHOWN).group(4)
    if "card yubikey-10000001 was issued before" not in read("err"):
        fail("a PIN that is set anew is not said:", read("err"))
    expect("people", 1, "started")
    terminal.expect("press Enter")
    terminal.type("\n")
    wait_for("row 1 is active", lambda: result("people", 1)["outcome"] == "active")
    if works(FIRST, first) or not works(FIRST, second):
        fail("the PIN that was noted is not the card's")
    next_card()
    terminal.expect(SHOWN)
    terminal.type("\x03")
    terminal.ends(None)
    if "the same command sets another one" not in read("err"):
        fail("it is not said how to go on:", read("err"))
    expect("people", 2, "started")
    terminal = batch("--generate-pin")
    third = terminal.expect(SHOWN).group(4)
    terminal.expect("press Enter")
    terminal.type("\n")
    terminal.ends(0)
    expect("people", 2, "active")
    if not works(FIRST, third):
        fail("the second card's PIN is another one")
    is_nowhere(first, second, third)
    batch("--generate-pin").ends(0)  # nothing is left to do
    print("ok PINs that are made are shown until they are noted")


def typed_pins_are_asked_for_each_row():
    next_card()
    os.unlink("people.result.csv")
    terminal = batch()
    terminal.type_pin("271828", "314159")
    terminal.type_pin("123456")  # weak: told before the card is touched
    terminal.type_pin("271828")
    wait_for("row 1 is active", lambda: result("people", 1)["outcome"] == "active")
    said = read("err")
    for words in ("the first PIN of Ada Lovelace", "the two PINs differ", "weak"):
        if words not in said:
            fail(f"no '{words}' in", said)
    if not works(FIRST, "271828"):
        fail("the PIN is not the one that was typed")
    tessera("card", "reissue", FIRST)
    terminal.kill()
    # As if it had been cut off between issuing and activating.
    write("people.result.csv", read("people.result.csv").replace("1,active", "1,started"))
    terminal = batch()
    terminal.type_pin("314159")
    wait_for("row 1 is active again", lambda: result("people", 1)["outcome"] == "active")
    if not works(FIRST, "314159"):
        fail("the card that was issued only is not activated")
    terminal.kill()
    is_nowhere("271828", "314159")
    print("ok PINs that are typed are asked for each row")


def wrong_uses_are_told():
    base = ("card", "batch", "people.csv", "--reader", "1")
    tessera(*base, "--template", "ready", fails="no terminal", status=2)
    tessera(*base, "--template", "ready", "--generate-pin", fails="no terminal", status=2)
    tessera(*base, "--template", "ec", "--generate-pin", fails="leave --generate-pin out", status=2)
    tessera(*base, "--register", "--generate-pin", fails="goes with --template", status=2)
    print("ok wrong uses are told")


def a_card_is_replaced_with_its_first_pin():
    base = ("card", "replace", FIRST, "--reader", "2")
    tessera(*base, fails="a PIN is needed", status=2)
    tessera(*base, "--new-pin-file", write("weak", "123456\n"), fails="weak", status=5)
    if tessera("card", "show", FIRST)["state"] != "active":
        fail("the old card was touched")
    new = tessera(*base, "--generate-pin")
    serial, pin = new["result"]["serial"], new["pin"]
    if tessera("card", "show", serial)["state"] != "active" or not works(serial, pin):
        fail("the new card is not active with the PIN that was made")
    if tessera("card", "show", FIRST)["state"] != "revoked":
        fail("the old card is not revoked")
    next_card()
    tessera("card", "replace", serial, "--reader", "1", "--new-pin-file",
            write("good", "271828\n"))
    if not works(FIRST, "271828"):
        fail("the new card is not active with the PIN that was given")
    print("ok a card is replaced with its first PIN")


tessera("template", "add", write("ready.json", json.dumps(TEMPLATE)))
wait_for("the cards are read", lambda: [
    reader["state"] for reader in tessera("reader", "list")].count("unregistered") == 2)
made_pins_are_shown_until_they_are_noted()
typed_pins_are_asked_for_each_row()
wrong_uses_are_told()
a_card_is_replaced_with_its_first_pin()
