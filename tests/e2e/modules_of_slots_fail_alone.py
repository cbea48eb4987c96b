#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# a slot's module that crashes, hangs, lies or ends its process takes no card, no other slot and no program
# time limit: 240
"""Slots whose modules run in processes of their own, and what programs see of their ends."""
import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ["TESSERA_SOURCE"] + "/tests/lib")
from checks import done, expect, expect_signature, sandbox, tessera  # noqa: E402
from cryptoki import Program  # noqa: E402

PIN, EC_SIGNATURE = "271828", 128
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
VENDOR = os.environ["TESSERA_BUILD"] + "/tests/lib/.libs/vendor-module.so"
WAIT = 60


def slot(name):
    return json.loads(subprocess.run(["tessera", "--json", "slot", "show", name], check=True,
                                     stdout=subprocess.PIPE).stdout)


def add(name, *options, module=VENDOR, variables=()):
    """A slot with an RSA key, 2, and an EC key, 1, in SoftHSM2's tokens in the folder here."""
    for variable in (f"SOFTHSM2_CONF={os.getcwd()}/softhsm2.conf",) + variables:
        options += ("--environment", variable)
    tessera("slot", "add", name, "--create", "--pin-file", "pin", "--module", module, *options)
    for kind, number in ("EC:prime256v1", "01"), ("rsa:2048", "02"):
        subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", name, "--login", "--pin", PIN,
                        "--keypairgen", "--key-type", kind, "--id", number, "--label", kind], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env=dict(os.environ, SOFTHSM2_CONF="softhsm2.conf"))
    tessera("slot", "test", name)
    return slot(name)["number"]


def turn(word):
    with open("knob", "w", encoding="ascii") as file:
        file.write(word)


def processes():
    """The processes of modules."""
    return subprocess.run(["pgrep", "-x", "tessera-token"], stdout=subprocess.PIPE, text=True,
                          check=False).stdout.split()


def wait_until(true):
    for _ in range(WAIT * 10):
        if true():
            return
        time.sleep(0.1)
    sys.exit("FAILED: not in time")


def expect_elliptic(*answers):
    for answer in answers:
        if len(answer) != EC_SIGNATURE:
            sys.exit(f"FAILED: {answer!r} instead of an EC signature")


def opened(number, pin=PIN):
    program = Program(number)
    expect("OK", program("login", pin))
    return program


class Busy:
    """Programs that sign with other slots and a card without a pause, until they are stopped."""

    def __init__(self, *signers):
        self.stopping = False
        self.counts = [0] * len(signers)
        self.threads = [threading.Thread(target=self.run, args=(i, *signer), daemon=True)
                        for i, signer in enumerate(signers)]
        for thread in self.threads:
            thread.start()

    def run(self, place, program, key, elliptic):
        while not self.stopping:
            answer = program("sign", key, elliptic=elliptic)
            if len(answer) not in (EC_SIGNATURE, 512):
                self.counts[place] = answer
                return
            self.counts[place] += 1

    def stop(self):
        before = list(self.counts)
        wait_until(lambda: all(isinstance(now, str) or now > then
                               for now, then in zip(self.counts, before)))
        self.stopping = True
        for thread in self.threads:
            thread.join()
        if any(isinstance(count, str) for count in self.counts):
            sys.exit(f"FAILED: others saw {self.counts}")


def keys_work(program):
    expect_elliptic(program("sign", 1, elliptic=True))
    expect_signature(program("sign", 2))
    expect("OK", program("derive", 1))
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", """
        source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
        uses() { foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --token-label bad --login --pin 271828 "$@"; }
        SOFTHSM2_CONF=softhsm2.conf pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label bad \\
            --read-object --type pubkey --id 02 --output-file public.der >/dev/null 2>&1
        openssl pkey -pubin -inform DER -in public.der -out public.pem
        echo secret >message
        openssl pkeyutl -encrypt -pubin -inkey public.pem -in message -out secret
        uses --id 02 --decrypt --mechanism RSA-PKCS --input-file secret --output-file opened >/dev/null 2>&1
        cmp message opened
        uses --id 02 --sign --mechanism SHA256-RSA-PKCS --input-file message --output-file signature >/dev/null 2>&1
        openssl dgst -sha256 -verify public.pem -signature signature message >/dev/null
        """], check=True)
    done("keys of a module in a process of its own sign, decrypt and derive")


def ends_of_all_kinds(program, others):
    busy = Busy(*others)
    for word in "crash", "exit":
        turn(word)
        expect("DEVICE_ERROR", program("sign", 1, elliptic=True))
        expect_elliptic(program("sign", 1, elliptic=True))
    busy.stop()
    done("a crash is one error for who asked, and nothing for all others")
    with open(os.environ["TESSERA_SANDBOX"] + "/log/tesserad", encoding="utf-8") as file:
        log = file.read()
    if "crashed (SIGSEGV" not in log or "ended its process with status 3" not in log:
        sys.exit(f"FAILED: the journal has no word of it: {log}")
    done("the journal says how a module ended")


def begin_anew(program):
    """With a process of which nobody knows that it ended."""
    tessera("slot", "change", "bad", "--timeout", "3")
    expect("USER_NOT_LOGGED_IN", program("sign", 1, elliptic=True))
    expect("OK", program("login", PIN))


def left_alone(program, others):
    """The two of before, and a third one, are three in a minute, unless the machine is very slow."""
    busy = Busy(*others)
    for _ in range(3):
        turn("crash")
        program("sign", 1, elliptic=True)
        if os.path.exists("knob"):
            break
    else:
        turn("crash")
        program("sign", 1, elliptic=True)
    os.unlink("knob")
    expect("DEVICE_ERROR", program("sign", 1, elliptic=True))
    failure = subprocess.run(["tessera", "slot", "test", "bad"], stderr=subprocess.PIPE, text=True, check=False)
    if "3 times within a minute" not in failure.stderr:
        sys.exit(f"FAILED: {failure.stderr}")
    busy.stop()
    done("a module that crashes again and again is left alone for a while")
    begin_anew(program)
    expect_elliptic(program("sign", 1, elliptic=True))
    done("a slot that is changed has a process at once, and programs log in anew")


def hanging_module(program, others):
    busy = Busy(*others)
    turn("hang")
    start = time.monotonic()
    expect("DEVICE_ERROR", program("sign", 1, elliptic=True))
    expect(True, time.monotonic() - start >= 3)
    expect_elliptic(program("sign", 1, elliptic=True))
    busy.stop()
    done("a module that hangs is ended at its time-out, and nobody else waits for it")


def lying_module(program, others):
    begin_anew(program)
    busy = Busy(*others)
    for word in "garbage", "lengths":
        turn(word)
        program("sign", 1, elliptic=True)
        expect_elliptic(program("sign", 1, elliptic=True))
    busy.stop()
    done("a module that lies harms nobody")


def daemon_ends(program, other):
    turn("hang")
    program.start("sign", 1, elliptic=True)
    wait_until(lambda: not os.path.exists("knob"))
    expect(2, len(processes()))
    sandbox("kill_daemon")
    wait_until(lambda: not processes())
    done("no process of a module outlives a daemon that is killed")
    program.answer()
    sandbox("start_daemon")
    number, _ = slot("bad")["number"], slot("good")
    fresh = opened(number)
    expect_elliptic(fresh("sign", 1, elliptic=True))
    expect(2, len(processes()))
    sandbox("stop_daemon")
    expect([], processes())
    done("nor one that is stopped")
    sandbox("start_daemon")
    other.end()


def settings(name):
    record = slot(name)
    expect("own", record["process"])
    expect(3, record["timeout"])
    failure = subprocess.run(["tessera", "slot", "change", name, "--process", "nowhere"], check=False,
                             stderr=subprocess.PIPE, text=True)
    if "own or daemon" not in failure.stderr:
        sys.exit(f"FAILED: {failure.stderr}")
    failure = subprocess.run(["tessera", "slot", "change", name, "--environment", "SOFTHSM2_CONF=/nothing"],
                             check=False, stderr=subprocess.PIPE, text=True)
    expect(True, failure.returncode != 0)
    expect(f"SOFTHSM2_CONF={os.getcwd()}/softhsm2.conf", slot(name)["environment"][0])
    expect_elliptic(opened(slot(name)["number"])("sign", 1, elliptic=True))
    done("settings with which the token does not open are not taken")


def main():
    os.chdir(os.environ["TESSERA_SANDBOX"] + "/tmp")
    os.mkdir("tokens")
    with open("softhsm2.conf", "w", encoding="utf-8") as file:
        file.write(f"directories.tokendir = {os.getcwd()}/tokens\nobjectstore.backend = file\n")
    tessera("card", "issue", "--reader", "1", "--template", "employee", "--holder", "name=Ada",
            "--holder", "email=ada@example.org", "--holder", "upn=ada@example.org")
    tessera("card", "activate", pin=PIN)
    bad = add("bad", variables=(f"VENDOR_KNOB={os.getcwd()}/knob",))
    good = add("good")
    program = opened(bad)
    others = [(opened(good), 1, True), (opened(1), 1, False)]
    keys_work(program)
    ends_of_all_kinds(program, others)
    left_alone(program, others)
    hanging_module(program, others)
    lying_module(program, others)
    settings("bad")
    daemon_ends(program, others[0][0])


if __name__ == "__main__":
    main()
