#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# programs that run on while cards are pulled and issued again and the daemon dies, restarts or hangs
"""What long-lived programs see through the module, and how they go on."""
import os
import subprocess
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


def pulled_with_operations_open(program):
    expect("OK", program("begin", 1))
    sandbox("card_remove 0")
    expect(["SESSION_HANDLE_INVALID"] * 3, program("finish"))
    sandbox("card_insert 0")
    expect_soon([1], lambda: program("slots"))
    expect(["SESSION_HANDLE_INVALID"] * 3, program("finish"))
    begin_again(program)
    expect("OK", program("begin", 1))
    expect(["OK"] * 3, program("finish"))
    done("searches and signatures that a card was pulled from end with it")


def card_used_directly(program):
    """By other programs through pcscd, which reset it, prove its PIN, or a wrong one."""
    piv = ["yubico-piv-tool", "--reader", "00 00", "--action", "verify-pin", "--pin"]
    stranger = Program(1)
    subprocess.run(piv + [PIN], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    expect("KEY_HANDLE_INVALID", stranger("sign", 1))
    for command in (["opensc-tool", "--reader", os.environ["VCARD_READER_0"], "--reset"], piv + [PIN],
                    piv + ["000000"]):
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        expect_signature(program("sign", 1))
        expect("KEY_HANDLE_INVALID", stranger("sign", 1))
    done("a card that others use directly keeps a program's login, and gives nobody one")


def killed_under_slots(program, number):
    """The daemon, under a program that uses a slot; the PIN is the program's."""
    expect("OK", program("open", number), program("login", PIN))
    before = program("sign", 1, elliptic=True)
    sandbox("kill_daemon")
    expect("SESSION_HANDLE_INVALID", program("sign", 1, elliptic=True))
    sandbox("start_daemon")
    expect_soon(True, lambda: number in program("slots"))
    expect("SESSION_HANDLE_INVALID", program("sign", 1, elliptic=True))
    expect("OK", program("open", number))
    expect(True, program("sign", 1, elliptic=True) in ("KEY_HANDLE_INVALID", "USER_NOT_LOGGED_IN"))
    expect("OK", program("login", PIN))
    expect(len(before), len(program("sign", 1, elliptic=True)))


def slots():
    """A SoftHSM2 token with an EC key: with the module in the daemon, then in a process of its own."""
    conf = os.environ["TESSERA_STATE"] + "/token/softhsm2.conf"
    with open("pin", "w", encoding="ascii") as file:
        file.write(PIN + "\n")
    tessera("slot", "add", "web", "--create", "--pin-file", "pin")
    subprocess.run(["pkcs11-tool", "--module", "/usr/lib/softhsm/libsofthsm2.so", "--token-label", "web", "--login",
                    "--pin", PIN, "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, SOFTHSM2_CONF=conf))
    tessera("slot", "test", "web")
    program = Program()
    number = next(slot for slot in program("slots") if slot >= 65536)
    killed_under_slots(program, number)
    tessera("slot", "change", "web", "--process", "own", "--environment", "SOFTHSM2_CONF=" + conf)
    killed_under_slots(Program(), number)
    tessera("slot", "remove", "web")
    done("programs that use slots go on with a daemon that was killed, wherever the module runs")


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
    sandbox('freeze "$(part_pid tesserad)"')
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
    pulled_with_operations_open(program)
    card_used_directly(program)
    killed_daemon(program, other)
    issued_again(program)
    hung_daemon(program)
    slots()


if __name__ == "__main__":
    main()
