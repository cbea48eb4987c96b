#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# programs fork, have many threads, come by the hundred and are killed inside calls, on cards and slots
# time limit: 400
"""tests/lib/survivor does it; here is what it does it to, and who must not notice."""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.environ["TESSERA_SOURCE"] + "/tests/lib")
from checks import done, expect, expect_signature, sandbox, tessera  # noqa: E402
from cryptoki import Program  # noqa: E402

PIN, EC_SIGNATURE, CARD = "271828", 128, 1
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
MODULE = os.environ["TESSERA_PKCS11_MODULE"]
COUNTS = {CARD: 20}
SURVIVOR = os.environ["TESSERA_BUILD"] + "/tests/lib/survivor"


def start(slot, *what, **named):
    # A forked child leaves what was its parent's, and need not say C_Finalize.
    environment = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")
    return subprocess.Popen([SURVIVOR, MODULE, str(slot), PIN, *what], stdin=subprocess.DEVNULL,
                            env=environment, **named)


def survive(slot, *what):
    program = start(slot, *what)
    if program.wait() != 0:
        sys.exit(f"FAILED: {what} with slot {slot}")


def add_slot(name, *options):
    """With an EC key of CKA_ID 1."""
    tessera("slot", "add", name, "--create", "--pin-file", "pin", *options)
    conf = os.environ["TESSERA_STATE"] + "/token/softhsm2.conf"
    subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", name, "--login", "--pin", PIN,
                    "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "ec"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, SOFTHSM2_CONF=conf))
    tessera("slot", "test", name)
    record = subprocess.run(["tessera", "--json", "slot", "show", name], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(record)["number"]


def killed_inside(slot, what, times):
    """At whatever point of the call it is."""
    for i in range(times):
        program = start(slot, "forever", what, stdout=subprocess.PIPE)
        expect(b"ready\n", program.stdout.readline())
        time.sleep(0.003 * (i + 1))
        program.send_signal(signal.SIGKILL)
        expect(-signal.SIGKILL, program.wait())
        program.stdout.close()


def main():
    os.chdir(os.environ["TESSERA_SANDBOX"] + "/tmp")
    tessera("card", "issue", "--reader", "1", "--template", "employee", "--holder", "name=Ada",
            "--holder", "email=ada@example.org", "--holder", "upn=ada@example.org")
    tessera("card", "activate", pin=PIN)
    conf = os.environ["TESSERA_STATE"] + "/token/softhsm2.conf"
    slots = {"a card": CARD, "a slot": add_slot("web"),
             "a slot with a process": add_slot("own", "--process", "own", "--environment", f"SOFTHSM2_CONF={conf}")}
    watcher, keeper = Program(CARD), Program(slots["a slot"])
    expect("OK", watcher("login", PIN), keeper("login", PIN))
    for name, number in slots.items():
        survive(number, "fork")
        done(f"programs fork in every state with {name}")
        survive(number, "threads", "64")
        done(f"a program with 64 threads signs with {name}")
    for name, number in slots.items():
        for what in ("sign", "login") if number == CARD else ("sign", "login", "generate"):
            killed_inside(number, what, 5)
        survive(number, "threads", "2")
        done(f"programs are killed inside calls with {name}, and nobody else notices")
    for name, number in slots.items():
        survive(number, "programs", str(COUNTS.get(number, 200)))
        done(f"programs sign at once with {name}, {COUNTS.get(number, 200)} of them")
    expect_signature(watcher("sign", 1))
    expect(EC_SIGNATURE, len(keeper("sign", 1, elliptic=True)))
    done("others were logged in all the time")
    sandbox("part_is_running tesserad")


if __name__ == "__main__":
    main()
