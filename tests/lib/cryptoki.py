# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program that uses our PKCS#11 module, for tests that need several at once.

    one = Program()             a process of its own that has loaded the module
    one("login", "271828")      does one thing there and answers the name of the CKR_ code, or what
                                was asked for; see the functions of Worker
    one.start("wait")           the same without waiting; one.answer() fetches it
    one.end()
"""
import ctypes
import json
import os
import struct
import subprocess
import sys
import threading
import time

NAMES = {
    0x0: "OK", 0x5: "GENERAL_ERROR", 0x6: "FUNCTION_FAILED", 0x7: "ARGUMENTS_BAD", 0x8: "NO_EVENT",
    0x30: "DEVICE_ERROR", 0x32: "DEVICE_REMOVED", 0x60: "KEY_HANDLE_INVALID",
    0x68: "KEY_FUNCTION_NOT_PERMITTED", 0x82: "OBJECT_HANDLE_INVALID", 0xA0: "PIN_INCORRECT",
    0xA1: "PIN_INVALID", 0xA2: "PIN_LEN_RANGE", 0xA4: "PIN_LOCKED",
    0xB3: "SESSION_HANDLE_INVALID", 0xB5: "SESSION_READ_ONLY", 0xE0: "TOKEN_NOT_PRESENT",
    0x100: "USER_ALREADY_LOGGED_IN", 0x101: "USER_NOT_LOGGED_IN",
    0x102: "USER_PIN_NOT_INITIALIZED", 0x104: "USER_ANOTHER_ALREADY_LOGGED_IN",
    0xA3: "PIN_EXPIRED", 0xB7: "SESSION_READ_ONLY_EXISTS",
    0xB8: "SESSION_READ_WRITE_SO_EXISTS", 0x54: "FUNCTION_NOT_SUPPORTED", 0x190: "CRYPTOKI_NOT_INITIALIZED",
    0x191: "CRYPTOKI_ALREADY_INITIALIZED", 0x21: "DATA_LEN_RANGE", 0x31: "DEVICE_MEMORY",
    0x40: "ENCRYPTED_DATA_INVALID", 0x41: "ENCRYPTED_DATA_LEN_RANGE", 0x91: "OPERATION_NOT_INITIALIZED",
    0xC0: "SIGNATURE_INVALID", 0x150: "BUFFER_TOO_SMALL",
}
# The place of each function in CK_FUNCTION_LIST (PKCS#11 2.40, 3.6).
FUNCTIONS = {
    "Initialize": 0, "Finalize": 1, "GetSlotList": 4, "GetTokenInfo": 6, "InitPIN": 10, "SetPIN": 11,
    "OpenSession": 12, "CloseSession": 13, "GetSessionInfo": 15, "Login": 18, "Logout": 19, "GetAttributeValue": 24,
    "FindObjectsInit": 26, "FindObjects": 27, "FindObjectsFinal": 28, "SignInit": 42, "Sign": 43,
    "CreateObject": 20, "DestroyObject": 22, "EncryptInit": 29, "Encrypt": 30, "EncryptUpdate": 31, "EncryptFinal": 32,
    "DecryptInit": 33, "Decrypt": 34, "DecryptUpdate": 35, "DecryptFinal": 36, "SignUpdate": 44, "SignFinal": 45,
    "VerifyInit": 48, "Verify": 49, "VerifyUpdate": 50, "VerifyFinal": 51, "GenerateKeyPair": 59,
    "DeriveKey": 62, "WaitForSlotEvent": 67,
}
USER, CONTEXT_SPECIFIC = 1, 2
PRIVATE_KEY = 3
CKA_CLASS, CKA_ID, CKA_EC_POINT = 0, 0x102, 0x181
CKM_RSA_PKCS, CKM_ECDSA, CKM_ECDH1_DERIVE = 1, 0x1041, 0x1050
SERIAL, WRITABLE = 4, 2
TOKEN_FLAGS = {1 << 3: "initialized", 1 << 16: "count-low", 1 << 17: "final-try", 1 << 18: "locked"}
Number = ctypes.c_ulong


class Attribute(ctypes.Structure):
    _fields_ = [("type", Number), ("value", ctypes.c_void_p), ("length", Number)]


class Mechanism(Attribute):
    pass


class Refused(Exception):
    pass


def attribute(kind, value):
    held = ctypes.create_string_buffer(value, len(value))
    return Attribute(kind, ctypes.addressof(held), len(value)), held


class Worker:
    """What runs in the program's process; each method is a command."""

    def __init__(self):
        library = ctypes.CDLL(os.environ["TESSERA_PKCS11_MODULE"])
        table = ctypes.POINTER(ctypes.c_void_p)()
        library.C_GetFunctionList(ctypes.byref(table))
        self.table = table
        self.session = Number(0)

    def call(self, name, *arguments):
        address = self.table[1 + FUNCTIONS[name]]
        code = ctypes.CFUNCTYPE(Number)(address)(*arguments)
        if code:
            raise Refused(NAMES.get(code, hex(code)))

    def initialize(self):
        self.call("Initialize", None)

    def finalize(self):
        self.call("Finalize", None)

    def slots(self):
        count, ids = Number(64), (Number * 64)()
        self.call("GetSlotList", ctypes.c_ubyte(1), ids, ctypes.byref(count))
        return ids[:count.value]

    def open(self, slot):
        self.call("OpenSession", Number(slot), Number(SERIAL | WRITABLE), None, None,
                  ctypes.byref(self.session))

    def close(self):
        self.call("CloseSession", self.session)

    def login(self, pin, user=USER):
        self.call("Login", self.session, Number(user), pin.encode(), Number(len(pin)))

    def logout(self):
        self.call("Logout", self.session)

    def open_read_only(self, slot):
        other = Number(0)
        self.call("OpenSession", Number(slot), Number(SERIAL), None, None, ctypes.byref(other))
        self.call("CloseSession", other)

    def init_pin(self, pin):
        self.call("InitPIN", self.session, pin.encode(), Number(len(pin)))

    def state(self):
        info = (Number * 4)()
        self.call("GetSessionInfo", self.session, info)
        return info[1]

    def set_pin(self, old, new):
        self.call("SetPIN", self.session, old.encode(), Number(len(old)), new.encode(),
                  Number(len(new)))

    def flags(self, slot):
        info = ctypes.create_string_buffer(512)
        self.call("GetTokenInfo", Number(slot), info)
        flags = struct.unpack_from("L", info, 96)[0]
        return sorted(name for bit, name in TOKEN_FLAGS.items() if flags & bit)

    def key(self, number):
        """The handle of the private key with that CKA_ID."""
        parts = [attribute(CKA_CLASS, struct.pack("L", PRIVATE_KEY)),
                 attribute(CKA_ID, bytes([number]))]
        template = (Attribute * 2)(*(part[0] for part in parts))
        count, found = Number(0), Number(0)
        self.call("FindObjectsInit", self.session, template, Number(2))
        self.call("FindObjects", self.session, ctypes.byref(found), Number(1), ctypes.byref(count))
        self.call("FindObjectsFinal", self.session)
        return found.value

    def sign(self, number, pin=None, handle=None, elliptic=False):
        """A signature in hexadecimal; pin for a key that wants it for each use."""
        handle = handle or self.key(number)
        mechanism = Mechanism(CKM_ECDSA if elliptic else CKM_RSA_PKCS, None, 0)
        signature, length = ctypes.create_string_buffer(512), Number(512)
        self.call("SignInit", self.session, ctypes.byref(mechanism), Number(handle))
        try:
            if pin is not None:
                self.login(pin, CONTEXT_SPECIFIC)
        finally:  # also ends an operation whose PIN was refused
            self.call("Sign", self.session, bytes(32), Number(32), signature, ctypes.byref(length))
        return signature.raw[:length.value].hex()

    def begin(self, number):
        """A search and a signature that are not finished."""
        mechanism = Mechanism(CKM_RSA_PKCS, None, 0)
        self.call("SignInit", self.session, ctypes.byref(mechanism), Number(self.key(number)))
        self.call("FindObjectsInit", self.session, None, Number(0))

    def finish(self):
        """What their ends say."""
        answers, found, count = [], Number(0), Number(0)
        signature, length = ctypes.create_string_buffer(512), Number(512)
        for name, arguments in (
                ("FindObjects", (ctypes.byref(found), Number(1), ctypes.byref(count))),
                ("FindObjectsFinal", ()),
                ("Sign", (bytes(32), Number(32), signature, ctypes.byref(length)))):
            try:
                self.call(name, self.session, *arguments)
                answers.append("OK")
            except Refused as refusal:
                answers.append(str(refusal))
        return answers

    def derive(self, number):
        """A secret shared with the key's own public key."""
        handle, point = self.key(number), ctypes.create_string_buffer(256)
        wanted = Attribute(CKA_EC_POINT, ctypes.addressof(point), 256)
        self.call("GetAttributeValue", self.session, Number(handle), ctypes.byref(wanted), Number(1))
        peer = (Number * 5)(1, 0, 0, wanted.length, ctypes.addressof(point))
        mechanism = Mechanism(CKM_ECDH1_DERIVE, ctypes.addressof(peer), ctypes.sizeof(peer))
        secret = Number(0)
        self.call("DeriveKey", self.session, ctypes.byref(mechanism), Number(handle), None,
                  Number(0), ctypes.byref(secret))

    def finalize_while_waiting(self):
        """What a thread's C_WaitForSlotEvent says to another's C_Finalize, and after what time."""
        answers = []

        def wait():
            try:
                self.wait()
            except Refused as refusal:
                answers.append(str(refusal))

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(1)
        start = time.monotonic()
        self.finalize()
        thread.join()
        return answers + [time.monotonic() - start]

    def wait(self, flags=0):
        """The slot that something happened in; flags 1: does not block."""
        slot = Number(0)
        self.call("WaitForSlotEvent", Number(flags), ctypes.byref(slot), None)
        return slot.value


def environment_of_programs():
    """For a Python that loads the module, which may be a sanitized one."""
    environment = dict(os.environ)
    if environment.get("TESSERA_PRELOAD"):
        environment["LD_PRELOAD"] = environment["TESSERA_PRELOAD"]
        environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    return environment


class Program:
    script = __file__  # that calls run_worker()

    def __init__(self, slot=None):
        self.process = subprocess.Popen([sys.executable, self.script, "worker"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True,
                                        env=environment_of_programs())
        self("initialize")
        if slot is not None:
            self("open", slot)

    def start(self, command, *arguments, **named):
        self.process.stdin.write(json.dumps([command, arguments, named]) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else "ended with status %d" % self.process.wait()

    def __call__(self, command, *arguments, **named):
        self.start(command, *arguments, **named)
        return self.answer()

    def end(self):
        self.process.stdin.close()
        return self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()


def run_worker(kind=Worker):
    worker = kind()
    for line in sys.stdin:
        command, arguments, named = json.loads(line)
        try:
            result = getattr(worker, command)(*arguments, **named)
            answer = "OK" if result is None else result
        except Refused as refusal:
            answer = str(refusal)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    run_worker()
