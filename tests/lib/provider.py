# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.tessera1.Provider as the PKCS#11 module speaks it, for tests.

    one = Client()                    a connection to the private socket
    one("GetMechanisms", slot)        a call: what it answers, or the name of its error: "PinRequired";
                                      of TokenRefused what the token said: "CKR_KEY_SIZE_RANGE"
    attributes({CLASS: SECRET_KEY})   a(uay); values are numbers, booleans, text or bytes
"""
import os
import re
import struct
import sys

import dbus
import dbus.connection

CLASS, TOKEN, PRIVATE, LABEL, VALUE, CERTIFICATE_TYPE = 0, 1, 2, 3, 0x11, 0x80
KEY_TYPE, ID, SENSITIVE, ENCRYPT, DECRYPT, WRAP, UNWRAP = 0x100, 0x102, 0x103, 0x104, 0x105, 0x106, 0x107
SIGN, VERIFY, DERIVE, MODULUS_BITS, VALUE_LEN, EXTRACTABLE = 0x108, 0x10A, 0x10C, 0x121, 0x161, 0x162
MODIFIABLE, EC_PARAMS, EC_POINT, WRAP_TEMPLATE = 0x170, 0x180, 0x181, 0x40000211
DATA, CERTIFICATE, PUBLIC_KEY, PRIVATE_KEY, SECRET_KEY = 0, 1, 2, 3, 4
RSA, EC, GENERIC, AES, DES3, EDWARDS = 0, 3, 0x10, 0x1F, 0x15, 0x40
P256 = bytes.fromhex("06082a8648ce3d030107")
SESSION_OBJECT = 1 << 31
SIGNATURES = {
    "GetObjects": "uu", "Login": "uay", "Logout": "u", "UseKey": "ayuusuayay",
    "BeginUse": "uusuayay", "ContinueUse": "ayuu", "EndUse": "uuay", "CancelUse": "uu", "ChangePin": "uayay",
    "ChangeOfficerPin": "uayay", "CheckUnblockCode": "uay", "InitPin": "uayay", "GetMechanisms": "u",
    "VerifyWithKey": "ayayuuuay", "CreateObject": "ua(uay)", "CopyObject": "uua(uay)", "SetAttributes": "uua(uay)",
    "DestroyObject": "uu", "GenerateKey": "uuaya(uay)", "GenerateKeyPair": "uuaya(uay)a(uay)",
    "WrapKey": "uuuayu", "UnwrapKey": "uuuayaya(uay)", "DeriveKey": "uuuayaya(uay)",
    "GetSecretValue": "uu", "GetRandom": "uu", "SeedRandom": "uay", "InitToken": "uays",
}


def value(kind):
    if isinstance(kind, bool):
        return bytes([kind])
    if isinstance(kind, int):
        return struct.pack("@L", kind)
    return kind.encode() if isinstance(kind, str) else kind


def attributes(wanted):
    pairs = wanted.items() if isinstance(wanted, dict) else wanted
    return dbus.Array([(dbus.UInt32(kind), dbus.ByteArray(value(what))) for kind, what in pairs], signature="(uay)")


def number(*values):
    """The numbers of a mechanism's parameter."""
    return struct.pack(f">{len(values)}I", *values)


def plain(answer):
    if isinstance(answer, (tuple, dbus.Struct)):
        return tuple(plain(item) for item in answer)
    if isinstance(answer, dbus.Array) and answer.signature == "y":
        return bytes(answer)
    if isinstance(answer, dbus.Array):
        return [plain(item) for item in answer]
    if answer is None:
        return ()
    return str(answer) if isinstance(answer, str) else int(answer)


class Client:
    def __init__(self):
        self.connection = dbus.connection.Connection("unix:path=" + os.environ["TESSERA_SOCKET"])

    def __call__(self, method, *arguments):
        arguments = [dbus.ByteArray(each) if isinstance(each, bytes) else
                     attributes(each) if isinstance(each, dict) else each for each in arguments]
        try:
            return plain(self.connection.call_blocking(
                None, "/org/tessera1", "org.tessera1.Provider", method, SIGNATURES.get(method, ""),
                arguments, timeout=120))
        except dbus.DBusException as error:
            ckr = re.search(r"CKR_\w+", error.get_dbus_message())
            name = error.get_dbus_name().split(".")[-1]
            return ckr[0] if name == "TokenRefused" and ckr else name

    def objects(self, slot, after=0):
        """{number: {type: value}} of all objects after one."""
        found = {}
        while True:
            answer = self("GetObjects", slot, after)
            if isinstance(answer, str):
                return answer
            for key in answer[2]:
                found[key[0]] = dict(key[5])
            after = answer[1]
            if after == 0:
                return found

    def labels(self, slot):
        return sorted(each.get(LABEL, b"").decode() for each in self.objects(slot).values())

    def end(self):
        self.connection.close()


def become(user):
    """The rest of this process is done by that user."""
    import pwd
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


if __name__ == "__main__":
    sys.exit("this is a library")
