#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# several programs are logged in to one card: PINs, tries and flags are told exactly, and no program
# that keeps an old PIN spends a try with it
"""What C_Login, C_SetPIN and C_Sign answer, and what C_GetTokenInfo shows meanwhile."""
import os
import subprocess
import sys

sys.path.insert(0, os.environ["TESSERA_SOURCE"] + "/tests/lib")
from checks import done, expect, expect_signature, tessera  # noqa: E402
from cryptoki import Program  # noqa: E402

PIN, SECOND, THIRD = "271828", "314159", "161803"
LOW, LAST = ["count-low", "initialized"], ["count-low", "final-try", "initialized"]
FULL, LOCKED = ["initialized"], ["count-low", "initialized", "locked"]


def set_pin_tells_which_pin_is_bad(program):
    expect("PIN_LEN_RANGE", program("set_pin", PIN, "1234"), program("set_pin", PIN, "123456789"))
    expect("PIN_INVALID", program("set_pin", PIN, "111111"), program("set_pin", PIN, "abcdef"))
    expect("PIN_INCORRECT", program("set_pin", "", SECOND), program("set_pin", "1" * 20, SECOND))
    expect(FULL, program("flags", 1))
    expect("PIN_INCORRECT", program("set_pin", "000000", SECOND))
    expect(LOW, program("flags", 1))
    expect("OK", program("set_pin", PIN, SECOND))
    expect(FULL, program("flags", 1))
    done("C_SetPIN tells which PIN is bad and why")


def kept_pins_spend_no_tries(program, others):
    """The others keep the old PIN; a stranger's wrong PIN makes the card forget their logins."""
    stranger = Program(1)
    expect("PIN_INCORRECT", stranger("login", "000000"))
    for other in others:
        expect("USER_NOT_LOGGED_IN", other("sign", 1))
        expect(LOW, program("flags", 1))
    expect("OK", *(other("login", SECOND) for other in others))
    expect_signature(*(other("sign", 1) for other in others))
    expect_signature(program("sign", 1))
    stranger.end()
    done("programs that keep an old PIN spend no tries")


def pin_changed_outside(program, others):
    """Tessera was not told: one try is spent to find out, not one for each program."""
    subprocess.run(["yubico-piv-tool", "--action", "change-pin", "--pin", SECOND, "--new-pin",
                    THIRD], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    expect("PIN_INCORRECT", Program(1)("login", "000000"))
    for one in [program] + others:
        expect("USER_NOT_LOGGED_IN", one("sign", 1))
    expect(LAST, program("flags", 1))
    expect("OK", *(one("login", THIRD) for one in [program] + others))
    expect(FULL, program("flags", 1))
    expect_signature(*(one("sign", 1) for one in [program] + others))
    done("a PIN that was changed outside costs one try in all")


def signature_key(program):
    expect("USER_NOT_LOGGED_IN", program("sign", 2))
    expect("PIN_INCORRECT", program("sign", 2, "1"))
    expect("USER_NOT_LOGGED_IN", program("sign", 2, ""))
    expect(FULL, program("flags", 1))
    expect("PIN_INCORRECT", program("sign", 2, "000000"))
    expect(LOW, program("flags", 1))
    expect_signature(program("sign", 2, THIRD))
    expect(FULL, program("flags", 1))
    expect_signature(program("sign", 1))
    done("a key that wants the PIN each time leaves the login alone")


def blocked(program, others):
    stranger = Program(1)
    expect("PIN_INCORRECT", stranger("login", "000000"))
    expect(LOW, program("flags", 1))
    expect("PIN_INCORRECT", stranger("login", "000000"))
    expect(LAST, program("flags", 1))
    expect("PIN_LOCKED", stranger("login", "000000"))
    expect(LOCKED, program("flags", 1))
    expect("PIN_LOCKED", stranger("login", THIRD), stranger("set_pin", THIRD, PIN))
    expect("PIN_LOCKED", program("sign", 2, THIRD))
    expect("USER_NOT_LOGGED_IN", *(one("sign", 1) for one in [program] + others))
    tessera("card", "unblock", pin=PIN)
    expect(FULL, program("flags", 1))
    expect("PIN_INCORRECT", program("login", THIRD))
    expect("OK", program("login", PIN))
    expect_signature(program("sign", 1))
    done("a blocked PIN is told as such until the help desk has unblocked it")


def main():
    os.chdir(os.environ["TESSERA_SANDBOX"] + "/tmp")
    tessera("card", "issue", "--reader", "1", "--template", "employee", "--holder", "name=Ada",
            "--holder", "email=ada@example.org", "--holder", "upn=ada@example.org")
    waiting = Program(1)
    expect("USER_PIN_NOT_INITIALIZED", waiting("login", PIN))
    tessera("card", "activate", pin=PIN)
    program, others = Program(1), [waiting, Program(1), Program(1), Program(1)]
    expect("OK", *(one("login", PIN) for one in [program] + others))
    expect_signature(*(one("sign", 1) for one in [program] + others))
    set_pin_tells_which_pin_is_bad(program)
    kept_pins_spend_no_tries(program, others)
    pin_changed_outside(program, others)
    signature_key(program)
    blocked(program, others)


if __name__ == "__main__":
    main()
