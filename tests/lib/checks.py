# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests with several programs of cryptoki.py at work share."""
import subprocess
import sys

SIGNATURE = 512  # hex digits of RSA 2048


def sandbox(command):
    """Runs a function of tests/lib/sandbox.sh."""
    subprocess.run(["bash", "-c", 'source "$TESSERA_SOURCE/tests/lib/sandbox.sh"; ' + command],
                   check=True, stdout=subprocess.DEVNULL)


def tessera(*arguments, pin=None):
    if pin:
        with open("pin", "w", encoding="ascii") as file:
            file.write(pin + "\n")
        arguments += ("--new-pin-file", "pin")
    subprocess.run(("tessera",) + arguments, check=True, stdout=subprocess.DEVNULL)


def expect(wanted, *answers):
    for answer in answers:
        if answer != wanted:
            sys.exit(f"FAILED: {answer!r} instead of {wanted!r}")


def expect_signature(*answers):
    for answer in answers:
        if len(answer) != SIGNATURE:
            sys.exit(f"FAILED: {answer!r} instead of a signature")


def done(sentence):
    print("ok " + sentence)
