#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# programs that run on while cards are pulled and issued again and the daemon dies, restarts or hangs
"""What long-lived programs see through the module, and how they go on."""
import os
import sys
import time

sys.path.insert(0, os.environ["TESSERA_SOURCE"] + "/tests/lib")
from checks import done, expect, expect_signature, sandbox, tessera  # noqa: E402
from cryptoki import Program  # noqa: E402

PIN, SECOND = "271828", "314159"


def expect_soon(wanted, ask):
    """The daemon is looked for at most twice a second, and reads a new card first."""
    for _ in range(50):
        answer = ask()
        if answer == wanted:
            return
        time.sleep(0.1)
    expect(wanted, answer)


def begin_again(program, pin=PIN):
    expect("OK", program("open", 1), program("login", pin))
    expect_signature(program("sign", 1))


def pulled_card(program):
    expect("NO_EVENT", program("wait", 1))
    program.start("wait")
    sandbox("card_remove 0")
    expect(1, program.answer())
    expect("NO_EVENT", program("wait", 1))
    expect([], program("slots"))
    expect("SESSION_HANDLE_INVALID", program("sign", 1))
    expect("TOKEN_NOT_PRESENT", program("flags", 1), program("open", 1))
    program.start("wait")
    sandbox("card_insert 0")
    expect(1, program.answer())
    expect_soon([1], lambda: program("slots"))
    expect("OK", program("open", 1))
    expect("KEY_HANDLE_INVALID", program("sign", 1))
    begin_again(program)
    done("a pulled card is told, ends its sessions and can be put back")


def killed_daemon(program, other):
    begin_again(other)
    sandbox("kill_daemon")
    expect([], program("slots"))
    expect("SESSION_HANDLE_INVALID", program("sign", 1))
    expect("TOKEN_NOT_PRESENT", program("open", 1))
    sandbox("start_daemon")
    for each in program, other:
        expect_soon([1], lambda each=each: each("slots"))
        expect("SESSION_HANDLE_INVALID", each("sign", 1))
        begin_again(each)
    done("programs go on with a daemon that was killed and started again")


def issued_again(program):
    old = program("key", 1)
    tessera("card", "reissue")
    expect("USER_PIN_NOT_INITIALIZED", program("login", PIN))
    tessera("card", "activate", pin=SECOND)
    expect("PIN_INCORRECT", program("login", PIN))
    expect("OK", program("login", SECOND))
    expect("KEY_HANDLE_INVALID", program("sign", 1, handle=old))
    expect_signature(program("sign", 1))
    done("an old key's handle never stands for the new key of a card that was issued again")


def hung_daemon(program):
    waiting = Program(1)
    sandbox('kill -STOP "$(part_pid tesserad)"')
    try:
        expect([1], program("slots"))
        answer, seconds = waiting("finalize_while_waiting")
    finally:
        sandbox('kill -CONT "$(part_pid tesserad)"')
    expect("CRYPTOKI_NOT_INITIALIZED", answer)
    expect(True, seconds < 1)
    expect_signature(program("sign", 1))
    done("C_Finalize ends a wait at once, even when the daemon hangs")


def main():
    os.chdir(os.environ["TESSERA_SANDBOX"] + "/tmp")
    tessera("card", "issue", "--reader", "1", "--template", "employee", "--holder", "name=Ada",
            "--holder", "email=ada@example.org", "--holder", "upn=ada@example.org")
    tessera("card", "activate", pin=PIN)
    program, other = Program(1), Program(1)
    expect("OK", program("login", PIN))
    pulled_card(program)
    killed_daemon(program, other)
    issued_again(program)
    hung_daemon(program)


if __name__ == "__main__":
    main()
