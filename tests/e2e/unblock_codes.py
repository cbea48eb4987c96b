#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# a card far away is unblocked by a code that is dead once the card was here, and C_InitPIN takes it
# sandbox: --cards blank,old
# time limit: 300
"""tessera card offline-unblock, unblock --unblock-code-file, CKU_SO, and owners' cards."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.environ["TESSERA_SOURCE"] + "/tests/lib")
from cryptoki import Program  # noqa: E402

os.chdir(os.environ["TESSERA_SANDBOX"] + "/tmp")

PIN, SECOND, THIRD = "271828", "314159", "161803"
OFFICER, OFFICER_STATE, FULL = 0, 4, ["initialized"]
POLICY = {"name": "far", "card-type": "piv",
          "keys": [{"slot": "authentication", "algorithm": "ec-p256"}],
          "pin-policy": {"minimum-length": 6, "maximum-length": 8, "characters": "digits",
                         "maximum-repeats": 3}}


def write(name, text):
    with open(name, "w", encoding="ascii") as file:
        file.write(text + "\n")
    return name


def tessera(*arguments, fails=None):
    done = subprocess.run(("tessera", "--json") + arguments, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", check=False)
    if (done.returncode != 0) != (fails is not None):
        sys.exit(f"FAILED: {arguments}: {done.returncode} {done.stdout} {done.stderr}")
    if fails is not None:
        if fails not in done.stderr:
            sys.exit(f"FAILED: {arguments}: no '{fails}' in {done.stderr}")
        return None
    return json.loads(done.stdout) if done.stdout else None


def expect(wanted, *answers):
    for answer in answers:
        if answer != wanted:
            sys.exit(f"FAILED: {answer!r} instead of {wanted!r}")


def done(sentence):
    print("ok " + sentence)


def control(number, line):
    subprocess.run(["bash", "-c", 'source "$TESSERA_SOURCE/tests/lib/sandbox.sh"; '
                    f'card_control {number} {line}'], check=True, stdout=subprocess.DEVNULL)


def contact(reader):
    control(reader, "remove")
    time.sleep(1)
    control(reader, "insert")


def issue(reader):
    serial = tessera("card", "issue", "--reader", str(reader + 1), "--template", "far", "--holder",
                     "name=Ada")["result"]["serial"]
    tessera("card", "activate", serial, "--new-pin-file", write("pin", PIN))
    return serial


def puk_state(serial):
    return tessera("card", "show", serial)["puk_state"]


def wait_for_state(serial, state):
    for _ in range(100):
        if puk_state(serial) == state:
            return
        time.sleep(0.1)
    sys.exit(f"FAILED: the PUK of {serial} is {puk_state(serial)}, not {state}")


def shown_code(serial):
    code = tessera("card", "offline-unblock", serial, "--yes")["unblock_code"]
    expect(10, len(code))
    expect(1, int(code) % 97)
    return code


def piv_tool(*arguments):
    return subprocess.run(("yubico-piv-tool",) + arguments, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False).returncode


def the_card_far_away_is_unblocked_and_its_code_dies(reader):
    serial = issue(reader)
    code = shown_code(serial)
    expect("exposed", puk_state(serial))
    expect([serial], [card["serial"] for card in tessera("card", "list", "--exposed")])
    tessera("card", "offline-unblock", serial, "--yes", fails="a moment ago")
    # Far away: another program takes the first eight digits.
    name = os.environ[f"VCARD_READER_{reader}"]
    expect(0, piv_tool("-r", name, "-a", "unblock-pin", "-P", code[:8], "-N", SECOND))
    contact(reader)
    wait_for_state(serial, "ours")
    expect([], tessera("card", "list", "--exposed"))
    expect(1, piv_tool("-r", name, "-a", "unblock-pin", "-P", code[:8], "-N", THIRD))
    # The service knows the new one.
    tessera("card", "unblock", serial, "--new-pin-file", write("pin", THIRD))
    done(f"a card far away is unblocked, and its code dies: {serial}")
    return serial


def the_command_takes_a_code_without_an_operator(serial):
    code = shown_code_later(serial)
    write("code", code[:4] + "-" + code[4:8] + " " + code[8:])
    session = os.environ.pop("TESSERA_SESSION")
    write("wrong", code[:9] + str((int(code[9]) + 1) % 10))
    tessera("card", "unblock", serial_number(serial), "--unblock-code-file", "wrong",
            "--new-pin-file", write("pin", SECOND), fails="mistyped")
    tessera("card", "unblock", serial_number(serial), "--unblock-code-file", "code",
            "--new-pin-file", write("pin", "111111"), fails="row")
    tessera("card", "unblock", serial_number(serial), "--unblock-code-file", "code",
            "--new-pin-file", write("pin", SECOND))
    tessera("card", "unblock", serial_number(serial), "--unblock-code-file", "code",
            "--new-pin-file", "pin", fails="no unblock code of this card is good")
    os.environ["TESSERA_SESSION"] = session
    expect("ours", puk_state(serial))
    done("a code is taken once, without an operator, under the PIN policy")


NUMBERS = {}


def serial_number(serial):
    """The credential's number: who is not logged in cannot look serials up."""
    return NUMBERS[serial]


def shown_code_later(serial):
    NUMBERS[serial] = str(tessera("card", "show", serial)["number"])
    for _ in range(20):
        shown = tessera("card", "show", serial)["puk_exposed_at"]
        if time.time() - shown >= 11:
            break
        time.sleep(1)
    return shown_code(serial)


def the_security_officer_is_who_has_the_code(serial, slot):
    program = Program(slot)
    expect("PIN_LOCKED", program("login", "12345678", OFFICER))
    code = shown_code_later(serial)
    expect("USER_NOT_LOGGED_IN", program("init_pin", PIN))
    expect("OK", program("login", THIRD))
    expect("USER_ANOTHER_ALREADY_LOGGED_IN", program("login", code, OFFICER))
    expect("OK", program("logout"))
    expect("PIN_INCORRECT", program("login", "00000000", OFFICER), program("login", "1", OFFICER))
    expect("OK", program("login", code, OFFICER))
    expect(OFFICER_STATE, program("state"))
    expect("USER_ALREADY_LOGGED_IN", program("login", code, OFFICER))
    expect("USER_ANOTHER_ALREADY_LOGGED_IN", program("login", THIRD))
    expect("SESSION_READ_WRITE_SO_EXISTS", program("open_read_only", slot))
    expect("PIN_LEN_RANGE", program("init_pin", "1234"))
    expect("PIN_INVALID", program("init_pin", "111111"))
    expect("OK", program("init_pin", SECOND))
    # The code has done its work.
    expect("USER_NOT_LOGGED_IN", program("init_pin", PIN))
    expect("OK", program("logout"), program("login", SECOND))
    expect(FULL, program("flags", slot))
    expect("ours", puk_state(serial))
    done("C_InitPIN sets a PIN for who has the code")


def an_owners_card_is_for_its_own_code():
    owner = tessera("operator", "list")[0]["card"]
    tessera("card", "unblock", owner, "--new-pin-file", write("pin", PIN), fails="own unblock code")
    tessera("card", "offline-unblock", owner, "--yes", fails="own unblock code")
    done("an owner's card is unblocked by its own code alone")


write("far.json", json.dumps(POLICY))
tessera("template", "add", "far.json")
an_owners_card_is_for_its_own_code()
first = the_card_far_away_is_unblocked_and_its_code_dies(0)
second = the_card_far_away_is_unblocked_and_its_code_dies(1)
the_command_takes_a_code_without_an_operator(first)
the_security_officer_is_who_has_the_code(second, 2)
