#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# programs give keys of HSM slots input of any length: GCM, MACs and EdDSA go to the token in parts, and nothing stays behind
# time limit: 300
"""Long inputs by the real module and by org.tessera1.Provider, in the daemon and in a process of their own."""
import ctypes
import hashlib
import hmac
import json
import os
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ["TESSERA_SOURCE"] + "/tests/lib")
from checks import done, expect, tessera  # noqa: E402
from cryptoki import Attribute, Mechanism, Number, Program, Refused, Worker, run_worker  # noqa: E402
from provider import AES, CLASS, DECRYPT, ENCRYPT, GENERIC, KEY_TYPE, PRIVATE, SECRET_KEY, SIGN, TOKEN, VALUE, VERIFY, \
    Client, number  # noqa: E402

PIN, VENDOR = "271828", os.environ["TESSERA_BUILD"] + "/tests/lib/.libs/vendor-module.so"
AES_GCM, AES_CMAC, SHA256_HMAC, EDDSA, EDWARDS_PAIR_GEN = 0x1087, 0x108A, 0x251, 0x1057, 0x1055
IV, AAD, KEY = bytes(range(12)), b"additional", bytes(range(32))
MIB = 1 << 20
PART = 32 * 1024
HELD = 16 * MIB
TIMES = 60
# SoftHSM2 leaks the name of an Edwards curve, which a sanitized daemon would be blamed for.
WITH_EDDSA = not os.environ.get("TESSERA_PRELOAD")


# --- the program -------------------------------------------------------------------------------------


class Long(Worker):
    """Works on files: what a person would see of it."""
    gcm = None

    def secret(self, kind, value, uses):
        wanted = [(0, struct.pack("L", SECRET_KEY)), (1, b"\0"), (0x100, struct.pack("L", kind)),
                  (0x11, bytes.fromhex(value))] + [(use, b"\1") for use in uses]
        return self.make("CreateObject", wanted)

    def make(self, call, *templates):
        held, arguments = [], []
        for template in templates:
            values = [ctypes.create_string_buffer(value, len(value)) for _, value in template]
            held.append(values)
            arguments += [(Attribute * len(template))(*(Attribute(kind, ctypes.addressof(each), len(value))
                                                        for (kind, value), each in zip(template, values))),
                          Number(len(template))]
        objects = [Number(0) for _ in templates]
        first = (ctypes.byref(Mechanism(EDWARDS_PAIR_GEN, None, 0)),) if call == "GenerateKeyPair" else ()
        self.call(call, self.session, *first, *arguments, *(ctypes.byref(each) for each in objects))
        return objects[0].value if len(objects) == 1 else [each.value for each in objects]

    def edwards(self):
        return self.make("GenerateKeyPair", [(1, b"\0"), (0x10A, b"\1"), (0x180, bytes.fromhex("06032b6570"))],
                         [(1, b"\0"), (0x108, b"\1")])

    def point(self, handle):
        room = ctypes.create_string_buffer(64)
        wanted = Attribute(0x181, ctypes.addressof(room), 64)
        self.call("GetAttributeValue", self.session, Number(handle), ctypes.byref(wanted), Number(1))
        return room.raw[:wanted.length].hex()

    def mechanism(self, kind):
        if kind != AES_GCM:
            return Mechanism(kind, None, 0)
        self.gcm = (ctypes.create_string_buffer(IV, 12), ctypes.create_string_buffer(AAD, len(AAD)))
        self.gcm += ((Number * 6)(ctypes.addressof(self.gcm[0]), 12, 96, ctypes.addressof(self.gcm[1]), len(AAD), 128),)
        return Mechanism(kind, ctypes.addressof(self.gcm[2]), ctypes.sizeof(self.gcm[2]))

    def init(self, what, kind, key):
        self.call(what + "Init", self.session, ctypes.byref(self.mechanism(kind)), Number(key))

    def out(self, name, room, *arguments):
        """What a function writes into so much room."""
        where, length = ctypes.create_string_buffer(max(room, 1)), Number(room)
        self.call(name, self.session, *arguments, where, ctypes.byref(length))
        return where.raw[:length.value]

    def at_once(self, what, kind, key, source, target):
        with open(source, "rb") as file:
            data = file.read()
        self.init(what, kind, key)
        with open(target, "wb") as file:
            file.write(self.out(what, len(data) + 64, data, Number(len(data))))

    def in_parts(self, what, kind, key, source, target, part):
        """Text goes as the token gives it; each call has as much room as its part, the last what is asked for."""
        self.init(what, kind, key)
        early = 0
        with open(source, "rb") as data, open(target, "wb") as file:
            while piece := data.read(part):
                if what == "Sign":
                    self.call("SignUpdate", self.session, piece, Number(len(piece)))
                    continue
                early += file.write(self.out(what + "Update", len(piece), piece, Number(len(piece))))
            size = Number(0)
            self.call(what + "Final", self.session, None, ctypes.byref(size))
            try:
                self.out(what + "Final", size.value - 1)
                raise SystemExit("a buffer that is too small was taken")
            except Refused as refusal:
                if str(refusal) != "BUFFER_TOO_SMALL":
                    raise
            file.write(self.out(what + "Final", size.value))
        return early

    def verify(self, kind, key, source, signature, part=0):
        with open(source, "rb") as file:
            data = file.read()
        signature = bytes.fromhex(signature)
        self.init("Verify", kind, key)
        if not part:
            self.call("Verify", self.session, data, Number(len(data)), signature, Number(len(signature)))
            return
        for i in range(0, len(data), part):
            self.call("VerifyUpdate", self.session, data[i:i + part], Number(len(data[i:i + part])))
        self.call("VerifyFinal", self.session, signature, Number(len(signature)))

    def begin_long(self, kind, key):
        """An operation that is in the token, and not ended."""
        self.init("Sign", kind, key)
        self.call("SignUpdate", self.session, bytes(PART * 4), Number(PART * 4))

    def go_on(self):
        self.call("SignUpdate", self.session, b"more", Number(4))


class User(Program):
    script = __file__


# --- what is right ------------------------------------------------------------------------------------


def right(kind, data):
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.ciphers.algorithms import AES as Cipher
    from cryptography.hazmat.primitives.cmac import CMAC
    if kind == AES_GCM:
        return AESGCM(KEY).encrypt(IV, data, AAD)
    if kind == SHA256_HMAC:
        return hmac.new(KEY, data, hashlib.sha256).digest()
    mac = CMAC(Cipher(KEY))
    mac.update(data)
    return mac.finalize()


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


def read(name):
    with open(name, "rb") as file:
        return file.read()


def user(slot):
    program = User(slot)
    expect("OK", program("login", PIN))
    return program


def keys_of(program):
    aes = program("secret", AES, KEY.hex(), [ENCRYPT, DECRYPT, SIGN, VERIFY])
    generic = program("secret", GENERIC, KEY.hex(), [SIGN, VERIFY])
    expect(True, isinstance(aes, int), isinstance(generic, int))
    return aes, generic


# --- what is tested ------------------------------------------------------------------------------------


def lengths_around_the_limit(slot, where):
    program = user(slot)
    aes, generic = keys_of(program)
    for length in 59999, 60000, 60001, 60016, 60017, 65535, 92768, 100000:
        data = os.urandom(length)
        write("data", data)
        for kind, key in (AES_CMAC, aes), (SHA256_HMAC, generic):
            expect("OK", program("at_once", "Sign", kind, key, "data", "mac"))
            expect(right(kind, data), read("mac"))
        for step in "at_once", "in_parts":
            more = (4096,) if step == "in_parts" else ()
            expect(True, program(step, "Encrypt", AES_GCM, aes, "data", "hidden", *more) in ("OK", *range(length + 1)))
            expect(right(AES_GCM, data), read("hidden"))
            expect(True, program(step, "Decrypt", AES_GCM, aes, "hidden", "shown", *more) in ("OK", *range(length + 1)))
            expect(data, read("shown"))
    program.end()
    done(f"{where}: inputs that are just short enough for one call, and just too long")


def long_inputs(slot, where):
    program = user(slot)
    aes, generic = keys_of(program)
    for size in MIB, 5 * MIB:
        data = os.urandom(size)
        write("data", data)
        hidden = right(AES_GCM, data)
        expect("OK", program("at_once", "Encrypt", AES_GCM, aes, "data", "hidden"))
        expect(True, hidden == read("hidden"))
        early = program("in_parts", "Encrypt", AES_GCM, aes, "data", "hidden", 10000)
        expect(True, hidden == read("hidden"), size - 70000 < early <= size)
        expect("OK", program("at_once", "Decrypt", AES_GCM, aes, "hidden", "shown"))
        expect(True, data == read("shown"))
        # SoftHSM2 gives no plain text before it has seen the tag.
        expect(0, program("in_parts", "Decrypt", AES_GCM, aes, "hidden", "shown", 100000))
        expect(True, data == read("shown"))
        for kind, key in (AES_CMAC, aes), (SHA256_HMAC, generic):
            mac = right(kind, data)
            expect("OK", program("at_once", "Sign", kind, key, "data", "mac"))
            expect(mac, read("mac"))
            expect(0, program("in_parts", "Sign", kind, key, "data", "mac", 77777))
            expect(mac, read("mac"))
            expect("OK", program("verify", kind, key, "data", mac.hex()), program("verify", kind, key, "data", mac.hex(), 9999))
            expect("SIGNATURE_INVALID", program("verify", kind, key, "data", mac[::-1].hex()),
                   program("verify", kind, key, "data", mac[::-1].hex(), 500000))
    write("hidden", hidden[:-1] + bytes([hidden[-1] ^ 1]))
    expect("ENCRYPTED_DATA_INVALID", program("at_once", "Decrypt", AES_GCM, aes, "hidden", "shown"))
    expect("ENCRYPTED_DATA_INVALID", program("in_parts", "Decrypt", AES_GCM, aes, "hidden", "shown", PART))
    expect("OPERATION_NOT_INITIALIZED", program("go_on"))
    program.end()
    done(f"{where}: GCM, HMAC and CMAC of 1 MiB and 5 MiB are what they have to be")


def edwards_keys(slot, where):
    if not WITH_EDDSA:
        return
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    program = user(slot)
    public, private = program("edwards")
    real = Ed25519PublicKey.from_public_bytes(bytes.fromhex(program("point", public))[2:])
    for size in 60001, MIB, 5 * MIB:
        data = os.urandom(size)
        write("data", data)
        expect("OK", program("at_once", "Sign", EDDSA, private, "data", "signature"))
        real.verify(read("signature"), data)
        expect(0, program("in_parts", "Sign", EDDSA, private, "data", "signature", 50000))
        real.verify(read("signature"), data)
        expect("OK", program("verify", EDDSA, public, "data", read("signature").hex()))
    write("data", bytes(HELD + 1))
    expect("DATA_LEN_RANGE", program("at_once", "Sign", EDDSA, private, "data", "signature"),
           program("in_parts", "Sign", EDDSA, private, "data", "signature", MIB),
           program("verify", EDDSA, public, "data", bytes(64).hex()))
    write("data", bytes(HELD))
    expect("OK", program("at_once", "Sign", EDDSA, private, "data", "signature"))
    real.verify(read("signature"), bytes(HELD))
    program.end()
    done(f"{where}: EdDSA, which the token does in one piece, of up to 16 MiB")


def limits_of_what_is_held(slot, where):
    program = user(slot)
    aes, _ = keys_of(program)
    data = bytes(HELD + MIB)
    write("data", data)
    expect("OK", program("at_once", "Encrypt", AES_GCM, aes, "data", "hidden"))
    expect(True, right(AES_GCM, data) == read("hidden"))
    expect("ENCRYPTED_DATA_LEN_RANGE", program("at_once", "Decrypt", AES_GCM, aes, "hidden", "shown"))
    expect("OK", program("at_once", "Sign", AES_CMAC, aes, "data", "mac"))
    expect(right(AES_CMAC, data), read("mac"))
    program.end()
    done(f"{where}: what need not be held may be longer")


def at_the_same_time(slot, where):
    programs = [user(slot) for _ in range(2)]
    data = os.urandom(2 * MIB)
    write("data", data)

    def work(i, program):
        aes, generic = keys_of(program)
        for kind, key in (AES_CMAC, aes), (SHA256_HMAC, generic):
            expect("OK", program("at_once", "Sign", kind, key, "data", f"mac-{i}"))
            expect(right(kind, data), read(f"mac-{i}"))
        expect("OK", program("at_once", "Encrypt", AES_GCM, aes, "data", f"hidden-{i}"))
        expect(True, right(AES_GCM, data) == read(f"hidden-{i}"))
        answers.append(i)

    answers = []
    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(programs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect([0, 1], sorted(answers))
    for program in programs:
        program.end()
    done(f"{where}: two programs at the same time")


# --- by the interface ----------------------------------------------------------------------------------


def wait_until(true):
    for _ in range(TIMES * 10):
        if true():
            return
        time.sleep(0.1)
    sys.exit("FAILED: not in time")


def secret_key(client, slot, private=True):
    made = client("CreateObject", slot, {CLASS: SECRET_KEY, KEY_TYPE: AES, TOKEN: False, VALUE: KEY, ENCRYPT: True,
                                         DECRYPT: True, SIGN: True, VERIFY: True, PRIVATE: private})
    expect(True, not isinstance(made, str))
    return made[0]


def client_of(slot):
    client = Client()
    expect((), client("Login", slot, PIN.encode()))
    return client


def begin(client, slot, key, operation, mechanism, parameter=b""):
    return client("BeginUse", slot, key, operation, mechanism, parameter, b"")


GONE = "TokenRefused"
GCM = number(128, 12) + IV + AAD


def decrypt_in_parts(client, slot, key, hidden):
    use = begin(client, slot, key, "decrypt", AES_GCM, GCM)
    for i in range(0, len(hidden), 50000):
        expect(b"", client("ContinueUse", hidden[i:i + 50000], slot, use))
    return use


def uses_belong_to_who_begins_them(slot, where):
    client, other = client_of(slot), client_of(slot)
    key = secret_key(client, slot)
    uses = [begin(client, slot, key, "sign", AES_CMAC) for _ in range(2)]
    for data in b"one", b"two":
        expect(b"", *(client("ContinueUse", data, slot, use) for use in uses))
    expect(GONE, other("ContinueUse", b"x", slot, uses[0]), other("EndUse", slot, uses[0], b""),
           client("EndUse", slot, 1 << 31, b""))
    expect((), other("CancelUse", slot, uses[0]), client("CancelUse", slot, uses[1]), client("CancelUse", slot, uses[1]))
    expect((right(AES_CMAC, b"onetwo"), 0), client("EndUse", slot, uses[0], b""))
    expect(GONE, *(client("EndUse", slot, use, b"") for use in uses))
    use = begin(client, slot, key, "verify", AES_CMAC)
    expect(b"", client("ContinueUse", b"onetwo", slot, use))
    expect((b"", 0), client("EndUse", slot, use, right(AES_CMAC, b"onetwo")))
    expect("SignatureInvalid", client("EndUse", slot, begin(client, slot, key, "verify", AES_CMAC), bytes(16)))
    other.end()
    client.end()
    done(f"{where}: a use in parts is that client's alone, and ends once")


def answers_have_their_length(slot, where):
    client = client_of(slot)
    key = secret_key(client, slot)
    use = decrypt_in_parts(client, slot, key, right(AES_GCM, bytes(100000)))
    shown = [client("EndUse", slot, use, b"")]
    while shown[-1][1]:
        shown.append(client("EndUse", slot, use, b""))
    expect([PART] * 3 + [100000 - 3 * PART], [len(text) for text, _ in shown])
    use = decrypt_in_parts(client, slot, key, right(AES_GCM, bytes(100000)))
    expect(PART, len(client("EndUse", slot, use, b"")[0]))
    expect(GONE, client("ContinueUse", b"x", slot, use), client("EndUse", slot, use, b""))
    client.end()
    done(f"{where}: what is longer than an answer comes in several")


def what_is_refused(slot, where):
    client = client_of(slot)
    key, public = secret_key(client, slot), secret_key(client, slot, private=False)
    expect("NotSupported", begin(client, slot, key, "sign", 1), begin(client, slot, key, "encrypt", AES_CMAC),
           begin(client, slot, key, "derive", 0x1050), begin(client, 1, 1, "sign", AES_CMAC),
           client("ContinueUse", b"", 1, 1), client("EndUse", 1, 1, b""))
    expect("InvalidArgument", begin(client, slot, key, "wrap", AES_CMAC), begin(client, slot, key, "encrypt", AES_GCM, b"x"))
    expect("TokenRefused", begin(client, slot, key, "sign", EDDSA))
    expect("NotFound", begin(client, slot, 999, "sign", AES_CMAC), client("ContinueUse", b"", slot + 99, 1))
    mine = [begin(client, slot, each, "sign", AES_CMAC) for each in (key, public)]
    expect((), client("Logout", slot))
    expect(GONE, client("ContinueUse", b"x", slot, mine[0]))
    expect(b"", client("ContinueUse", b"x", slot, mine[1]))
    expect((right(AES_CMAC, b"x"), 0), client("EndUse", slot, mine[1], b""))
    client.end()
    done(f"{where}: cards, other mechanisms, and private keys after a logout have none")


def hold(client, slot, key, size):
    """A use for which so much is held, as the tag has not come yet."""
    use = begin(client, slot, key, "decrypt", AES_GCM, GCM)
    while size > 0:
        expect(b"", client("ContinueUse", bytes(min(size, 50000)), slot, use))
        size -= 50000
    return use


def places(slot, where):
    """More than the slot has for all, if those of clients that went were not free again."""
    for _ in range(5):
        client = client_of(slot)
        key = secret_key(client, slot)
        uses = [begin(client, slot, key, "sign", AES_CMAC) for _ in range(64)]
        expect(True, *(isinstance(use, int) for use in uses))
        expect("TokenRefused", begin(client, slot, key, "sign", AES_CMAC))
        expect(b"", client("ContinueUse", b"x", slot, uses[63]))
        client.end()
    for client in client_of(slot), client_of(slot):
        key = secret_key(client, slot)
        uses = [hold(client, slot, key, HELD) for _ in range(4)]
        expect("TokenRefused", client("ContinueUse", b"x", slot, begin(client, slot, key, "decrypt", AES_GCM, GCM)))
        expect("DataLength", client("ContinueUse", b"x", slot, uses[0]))
        expect(GONE, client("ContinueUse", b"x", slot, uses[0]))
        expect(True, isinstance(hold(client, slot, key, HELD), int))
        client.end()
    done(f"{where}: a client has a limited number of uses, and of bytes held; they are free again when it is gone")


def sessions():
    return int(read("sessions") or b"-1")


def nothing_stays(slot):
    killed, closing = user(slot), user(slot)
    keys = [keys_of(program)[0] for program in (killed, closing)]
    before = sessions()
    for program, aes in zip((killed, closing), keys):
        expect("OK", program("begin_long", AES_CMAC, aes))
        expect("OK", program("go_on"))
    expect(before + 2, sessions())
    expect("OK", closing("close"))
    wait_until(lambda: sessions() == before + 1)
    killed.kill()
    closing.end()
    # The session of its objects goes, too.
    wait_until(lambda: sessions() == before - 2)
    done("a program that is killed, or closes its session, in the middle leaves no session behind")


def processes():
    return subprocess.run(["pgrep", "-x", "tessera-token"], stdout=subprocess.PIPE, text=True, check=False).stdout.split()


def turn(word):
    write("knob", word.encode())


def ends_of_the_process(slot):
    program = user(slot)
    aes, _ = keys_of(program)
    turn("one-piece")
    write("data", os.urandom(MIB))
    expect("OK", program("at_once", "Sign", AES_CMAC, aes, "data", "mac"))
    expect(right(AES_CMAC, read("data")), read("mac"))
    turn("crash-part")
    expect("DEVICE_ERROR", program("begin_long", AES_CMAC, aes))
    aes, _ = keys_of(program)
    expect("OK", program("begin_long", AES_CMAC, aes))
    os.kill(int(processes()[0]), 9)
    expect(True, program("go_on") in ("DEVICE_ERROR", "OPERATION_NOT_INITIALIZED"))
    expect("OPERATION_NOT_INITIALIZED", program("go_on"))
    aes, _ = keys_of(program)
    expect("OK", program("at_once", "Sign", AES_CMAC, aes, "data", "mac"))
    expect(right(AES_CMAC, read("data")), read("mac"))
    program.end()
    done("a module that takes no parts gets one piece; one that crashes takes its uses with it, and no more")


def slots_go(name, slot):
    program, client = user(slot), client_of(slot)
    aes, _ = keys_of(program)
    expect("OK", program("begin_long", AES_CMAC, aes))
    use = begin(client, slot, secret_key(client, slot), "sign", AES_CMAC)
    tessera("slot", "remove", name)
    expect("NotFound", client("ContinueUse", b"x", slot, use))
    expect(True, program("go_on") in ("SESSION_HANDLE_INVALID", "DEVICE_REMOVED"))
    program.end()
    client.end()
    done(f"a slot that is removed ends what is under way: {name}")


def number_of(name):
    return json.loads(subprocess.run(["tessera", "--json", "slot", "show", name], check=True,
                                     stdout=subprocess.PIPE).stdout)["number"]


def main():
    os.chdir(os.environ["TESSERA_SANDBOX"] + "/tmp")
    write("pin", PIN.encode() + b"\n")
    os.makedirs("tokens")
    write("softhsm2.conf", f"directories.tokendir = {os.getcwd()}/tokens\n".encode())
    tessera("slot", "add", "inside", "--create", "--pin-file", "pin")
    tessera("slot", "add", "apart", "--create", "--pin-file", "pin", "--module", VENDOR,
            *(f"--environment={variable}={os.getcwd()}/{file}" for variable, file in (
                ("SOFTHSM2_CONF", "softhsm2.conf"), ("VENDOR_SESSIONS", "sessions"), ("VENDOR_KNOB", "knob"))))
    slots = [(name, number_of(name)) for name in ("inside", "apart")]
    nothing_stays(slots[1][1])
    for name, slot in slots:
        for test in (lengths_around_the_limit, long_inputs, edwards_keys, limits_of_what_is_held, at_the_same_time,
                     uses_belong_to_who_begins_them, answers_have_their_length, what_is_refused, places):
            test(slot, name)
    ends_of_the_process(slots[1][1])
    for name, slot in slots:
        slots_go(name, slot)


if __name__ == "__main__":
    if sys.argv[1:] == ["worker"]:
        run_worker(Long)
    else:
        main()
