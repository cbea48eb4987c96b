#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# programs make, change, wrap and destroy objects of HSM slots as the rules let them; their own objects are theirs alone
# time limit: 240
"""org.tessera1.Provider's methods about objects, as root and as users for whom there are rules."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.environ["TESSERA_SOURCE"] + "/tests/lib")
from checks import done, expect, sandbox, tessera  # noqa: E402
from provider import (  # noqa: E402
    AES, CLASS, DATA, DECRYPT, DERIVE, EC, EC_PARAMS, EC_POINT, ENCRYPT, EXTRACTABLE, GENERIC, KEY_TYPE, LABEL,
    MODULUS_BITS, P256, PRIVATE, PRIVATE_KEY, SECRET_KEY, SENSITIVE, SESSION_OBJECT, SIGN, TOKEN, UNWRAP, VALUE,
    VALUE_LEN, VERIFY, WRAP, Client, attributes, become, number)

PIN = b"271828"
AES_KEY_GEN, AES_ECB, AES_CBC, AES_CBC_PAD, AES_CTR, AES_GCM = 0x1080, 0x1081, 0x1082, 0x1085, 0x1086, 0x1087
AES_CMAC, AES_KEY_WRAP, AES_KEY_WRAP_PAD, EC_PAIR_GEN, ECDH = 0x108A, 0x2109, 0x210A, 0x1040, 0x1050
AES_ENCRYPT_DATA, SHA256_HMAC, EDDSA, EDWARDS_PAIR_GEN, ECDSA = 0x1104, 0x251, 0x1057, 0x1055, 0x1041
SLOT = 65536
DO_ALL = {SIGN: True, VERIFY: True, ENCRYPT: True, DECRYPT: True, WRAP: True, UNWRAP: True, DERIVE: True}


def key(label, stays=True, **more):
    """An AES key of known value that does everything, and that a wrapping key takes out."""
    wanted = {CLASS: SECRET_KEY, KEY_TYPE: AES, TOKEN: stays, LABEL: label, SENSITIVE: False, EXTRACTABLE: True,
              VALUE: bytes(16), **DO_ALL}
    return {**wanted, **{int(kind): value for kind, value in more.items()}}


def output(*arguments):
    return subprocess.run(("tessera",) + arguments, check=True, stdout=subprocess.PIPE, text=True).stdout


def records(count):
    """The newest records, oldest first: "operation outcome detail"."""
    found = json.loads(output("--json", "audit", "list", "--newest", "--limit", str(count)))
    found = sorted(found, key=lambda record: record["id"])
    return [f"{record['operation']} {record['outcome']} {record['detail']}" for record in found]


def made(answer):
    if isinstance(answer, str):
        sys.exit(f"FAILED: {answer} instead of a new object")
    return answer[0]


def allow(*arguments):
    tessera("slot", "allow", "web", *arguments)


# --- what they do -----------------------------------------------------------------------------------


def secret_keys_encrypt(client):
    aes = made(client("CreateObject", SLOT, key("aes", stays=False)))
    text = b"sixteen bytes and more of them.." * 40
    for mechanism, parameter in (AES_ECB, b""), (AES_CBC, bytes(16)), (AES_CBC_PAD, bytes(16)), \
            (AES_CTR, number(128) + bytes(16)), (AES_GCM, number(128, 12) + bytes(12) + b"additional"):
        hidden = client("UseKey", text, SLOT, aes, "encrypt", mechanism, parameter, b"")
        expect(True, isinstance(hidden, bytes) and hidden != text)
        expect(text, client("UseKey", hidden, SLOT, aes, "decrypt", mechanism, parameter, b""))
        if mechanism in (AES_CBC_PAD, AES_GCM):
            expect("DataInvalid", client("UseKey", hidden[:-16] + bytes(16), SLOT, aes, "decrypt", mechanism, parameter, b""))
    expect("DataLength", client("UseKey", b"short", SLOT, aes, "encrypt", AES_ECB, b"", b""))
    expect("InvalidArgument", *(client("UseKey", text, SLOT, aes, "encrypt", mechanism, parameter, b"")
                                for mechanism, parameter in ((AES_ECB, b"x"), (AES_CBC, bytes(15)), (AES_CTR, bytes(16)),
                                                             (AES_CTR, number(129) + bytes(16)),
                                                             (AES_CTR, number(0) + bytes(16)),
                                                             (AES_GCM, number(128, 0)), (AES_GCM, number(128, 2**31)),
                                                             (AES_GCM, number(127, 12) + bytes(12)))))
    expect("NotSupported", client("UseKey", text, SLOT, aes, "sign", ECDH, b"", b""))
    expect("TokenRefused", client("UseKey", text[:32], SLOT, aes, "sign", ECDSA, b"", b""))
    done("AES keys encrypt and decrypt: ECB, CBC, CBC with padding, CTR, GCM")


def secret_keys_make_macs(client):
    aes = made(client("CreateObject", SLOT, key("aes", stays=False)))
    secret = made(client("GenerateKey", SLOT, 0x350, b"", {TOKEN: False, VALUE_LEN: 64, SIGN: True, VERIFY: True}))
    for each, mechanism, length in (aes, AES_CMAC, 16), (secret, SHA256_HMAC, 32), (secret, 0x221, 20), (secret, 0x271, 64):
        mac = client("UseKey", b"data", SLOT, each, "sign", mechanism, b"", b"")
        expect(length, len(mac))
        expect((), client("VerifyWithKey", b"data", mac, SLOT, each, mechanism, b""))
        expect("SignatureInvalid", client("VerifyWithKey", b"date", mac, SLOT, each, mechanism, b""),
               client("VerifyWithKey", b"data", mac[:-1], SLOT, each, mechanism, b""))
    done("secret keys make and verify MACs: HMAC, CMAC")


def keys_come_and_go_wrapped(client):
    aes = made(client("CreateObject", SLOT, key("aes", stays=False)))
    wanted = {CLASS: SECRET_KEY, KEY_TYPE: AES, TOKEN: False, SENSITIVE: False, EXTRACTABLE: True}
    for mechanism in AES_KEY_WRAP, AES_KEY_WRAP_PAD:
        wrapped = client("WrapKey", SLOT, aes, mechanism, b"", aes)
        again = made(client("UnwrapKey", SLOT, aes, mechanism, b"", wrapped, wanted))
        expect(bytes(16), client("GetSecretValue", SLOT, again))
        refused = client("UnwrapKey", SLOT, aes, mechanism, b"", wrapped[:-1] + b"x", wanted)
        expect(True, refused in ("CKR_WRAPPED_KEY_INVALID", "CKR_WRAPPED_KEY_LEN_RANGE"))
    derived = made(client("DeriveKey", SLOT, aes, AES_ENCRYPT_DATA, b"", bytes(16), {**wanted, VALUE_LEN: 16}))
    expect("66e94bd4ef8a2c3b884cfa59ca342b2e", client("GetSecretValue", SLOT, derived).hex())
    hidden = made(client("GenerateKey", SLOT, AES_KEY_GEN, b"", {TOKEN: False, VALUE_LEN: 32, SENSITIVE: True,
                                                                 EXTRACTABLE: False}))
    expect("CKR_ATTRIBUTE_SENSITIVE", client("GetSecretValue", SLOT, hidden))
    expect("CKR_KEY_UNEXTRACTABLE", client("WrapKey", SLOT, aes, AES_KEY_WRAP, b"", hidden))
    done("keys are wrapped, unwrapped and derived, and what is sensitive stays inside")


def key_pairs(client):
    public, private = client("GenerateKeyPair", SLOT, EC_PAIR_GEN, b"", {TOKEN: False, EC_PARAMS: P256},
                             {TOKEN: False, DERIVE: True, SIGN: True})[:2]
    point = client.objects(SLOT)[public][EC_POINT][2:]
    expect(64, len(client("UseKey", bytes(32), SLOT, private, "sign", ECDSA, b"", b"")))
    secret = client("UseKey", point, SLOT, private, "derive", ECDH, b"", b"")
    derived = made(client("DeriveKey", SLOT, private, ECDH, number(1, 0), point,
                          {CLASS: SECRET_KEY, KEY_TYPE: GENERIC, VALUE_LEN: 32, SENSITIVE: False, EXTRACTABLE: True}))
    expect(secret, client("GetSecretValue", SLOT, derived))
    _, private = client("GenerateKeyPair", SLOT, EDWARDS_PAIR_GEN, b"", {TOKEN: False, EC_PARAMS: bytes.fromhex("06032b6570")},
                        {TOKEN: False, SIGN: True})[:2]
    expect(64, len(client("UseKey", b"any text", SLOT, private, "sign", EDDSA, b"", b"")))
    _, private = client("GenerateKeyPair", SLOT, EDWARDS_PAIR_GEN, b"", {TOKEN: False, EC_PARAMS: bytes.fromhex("06032b656e")},
                        {TOKEN: False, DERIVE: True})[:2]
    expect(32, len(client("UseKey", b"\x09" + bytes(31), SLOT, private, "derive", ECDH, b"", b"")))
    _, private = client("GenerateKeyPair", SLOT, 0, b"", {TOKEN: False, MODULUS_BITS: 2048, 0x122: b"\1\0\1"},
                        {TOKEN: False, SIGN: True, DECRYPT: True})[:2]
    # SoftHSM2 would write behind its memory.
    expect("DataLength", client("UseKey", bytes(257), SLOT, private, "sign", 3, b"", b""),
           client("UseKey", bytes(2000), SLOT, private, "decrypt", 3, b"", b""))
    for digest, mask, length in (0x220, 1, 20), (0x250, 2, 32), (0x260, 3, 48), (0x270, 4, 64):
        expect(256, len(client("UseKey", bytes(length), SLOT, private, "sign", 13, number(digest, mask, length), b"")))
    done("key pairs: EC, Ed25519, X25519, RSA with PSS of every digest")


def hostile_attributes(client):
    twice = attributes([(CLASS, DATA), (LABEL, "one"), (LABEL, "two")])
    expect("TokenRefused", client("CreateObject", SLOT, twice),
           client("CreateObject", SLOT, {CLASS: b"\4"}), client("CreateObject", SLOT, {CLASS: SECRET_KEY, TOKEN: b""}),
           client("CreateObject", SLOT, {CLASS: DATA, 0x40000211: b""}),
           client("CreateObject", SLOT, {CLASS: DATA, 0x40000600: b"1234"}),
           client("GenerateKey", SLOT, 0x350, b"", {VALUE_LEN: 1 << 40}),
           client("GenerateKeyPair", SLOT, 0, b"", {MODULUS_BITS: 1 << 40}, {}))
    expect("InvalidArgument", client("CreateObject", SLOT, {kind: b"" for kind in range(0x1000, 0x1081)}))
    expect("CKR_TEMPLATE_INCOMPLETE", client("CreateObject", SLOT, {}))
    # Keys that SoftHSM2 would take, and end by.
    expect("TokenRefused", *(client("CreateObject", SLOT, {CLASS: PRIVATE_KEY, TOKEN: False, KEY_TYPE: kind, EC_PARAMS: curve,
                                                           VALUE: bytes(31) + b"1", DERIVE: True, SIGN: True})
                             for kind in (EC, 0x40, 0) for curve in (b"", b"\x06", bytes.fromhex("06032a0304"))))
    expect("InvalidArgument", client("GetRandom", SLOT, 65537))
    expect("NotSupported", client("GenerateKey", SLOT, EC_PAIR_GEN, b"", {}), client("GenerateKey", 1, AES_KEY_GEN, b"", {}),
           client("GetMechanisms", 1), client("InitToken", 1, PIN, "web"))
    expect("NotFound", client("DestroyObject", SLOT, 0), client("DestroyObject", SLOT, 2**32 - 1),
           client("WrapKey", SLOT, 4711, AES_KEY_WRAP, b"", 4712), client("GetRandom", SLOT + 99, 1))
    expect(65536, len(client("GetRandom", SLOT, 65536)))
    done("attributes of wrong sizes, twice, too many or of arrays are refused one by one")


# --- whose they are ---------------------------------------------------------------------------------


def own_objects(client, other):
    ours = made(client("CreateObject", SLOT, key("ours", stays=False)))
    theirs = made(other("CreateObject", SLOT, key("theirs", stays=False)))
    expect(True, ours >= SESSION_OBJECT, theirs >= SESSION_OBJECT)
    expect(True, "ours" in client.labels(SLOT), "theirs" in other.labels(SLOT))
    expect(False, "theirs" in client.labels(SLOT), "ours" in other.labels(SLOT))
    third = Client()
    expect("NotFound", third("DestroyObject", SLOT, ours), third("GetSecretValue", SLOT, ours),
           third("UseKey", bytes(16), SLOT, ours, "encrypt", AES_ECB, b"", b""))
    third.end()
    public = made(client("CreateObject", SLOT, {CLASS: DATA, PRIVATE: False, LABEL: "public"}))
    client("Logout", SLOT)
    expect("NotFound", client("GetSecretValue", SLOT, ours))
    expect(True, public in client.objects(SLOT))
    expect(bytes(16), other("GetSecretValue", SLOT, theirs))
    client("Login", SLOT, PIN)
    done("objects that do not stay are their program's alone, and private ones end with its login")


def objects_end_with_the_connection():
    for _ in range(60):
        short = Client()
        short("Login", SLOT, PIN)
        for _ in range(20):
            made(short("CreateObject", SLOT, key("short", stays=False)))
        short.end()
    keeper = Client()
    expect(0, len(keeper.objects(SLOT, SESSION_OBJECT - 1)))
    keeper.end()
    done("they end with the connection")


def generations(client, other):
    client.objects(SLOT)
    number_, before, after = client("CreateObject", SLOT, key("new"))
    expect(True, after > before)
    expect([number_], [each for each in client.objects(SLOT, number_ - 1) if each < SESSION_OBJECT])
    expect(True, number_ in other.objects(SLOT))
    _, second, third = other("CreateObject", SLOT, key("newer"))
    expect(True, second == after, third > second)
    unchanged, changed = client("SetAttributes", SLOT, number_, {LABEL: "old"})
    expect(True, unchanged == third, changed > unchanged)
    expect(b"old", other.objects(SLOT)[number_][LABEL])
    _, here, still = client("CreateObject", SLOT, key("own", stays=False))
    expect(True, here == still == changed)
    expect(2, len([label for label in client.labels(SLOT) if label in ("old", "newer")]))
    gone = client("DestroyObject", SLOT, number_)
    expect(True, gone[1] > gone[0])
    expect(False, number_ in other.objects(SLOT))
    done("each change has a generation, and numbers stay")


# --- who may ----------------------------------------------------------------------------------------


def as_ada(function):
    """Runs the function in a process of ada's, over her own connection."""
    child = os.fork()
    if child == 0:
        become("ada")
        client = Client()
        client("Login", SLOT, PIN)
        function(client)
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit("FAILED: as ada")


def without_a_rule(client):
    expect("NotFound", client("GetMechanisms", SLOT), client("CreateObject", SLOT, key("x")),
           client("GetRandom", SLOT, 8), client("DestroyObject", SLOT, 1))


def who_signs_changes_nothing(client):
    root_key = next(each for each, what in client.objects(SLOT).items() if what[LABEL] == b"tls")
    expect("AccessDenied", client("CreateObject", SLOT, key("tls")), client("GenerateKey", SLOT, AES_KEY_GEN, b"", {VALUE_LEN: 16}),
           client("SetAttributes", SLOT, root_key, {LABEL: "tls"}), client("DestroyObject", SLOT, root_key),
           client("CopyObject", SLOT, root_key, {TOKEN: False}), client("CopyObject", SLOT, root_key, {}),
           client("WrapKey", SLOT, root_key, AES_KEY_WRAP, b"", root_key), client("GetSecretValue", SLOT, root_key),
           client("UseKey", bytes(16), SLOT, root_key, "encrypt", AES_ECB, b"", b""),
           client("DeriveKey", SLOT, root_key, AES_ENCRYPT_DATA, b"", bytes(16), {}),
           client("InitToken", SLOT, PIN, "web"))
    expect(16, len(client("UseKey", b"data", SLOT, root_key, "sign", AES_CMAC, b"", b"")))
    # What she brings herself she may use as she likes.
    mine = made(client("CreateObject", SLOT, key("mine", stays=False)))
    expect(16, len(client("UseKey", bytes(16), SLOT, mine, "encrypt", AES_ECB, b"", b"")))
    expect("AccessDenied", client("WrapKey", SLOT, mine, AES_KEY_WRAP, b"", root_key))


def who_generates_has_no_keys_of_others(client):
    tls = next(each for each, what in client.objects(SLOT).items() if what[LABEL] == b"tls")
    own = made(client("CreateObject", SLOT, key("ada")))
    expect("AccessDenied", client("CreateObject", SLOT, key("other")), client("CreateObject", SLOT, key("")),
           client("SetAttributes", SLOT, own, {LABEL: "other"}), client("SetAttributes", SLOT, tls, {LABEL: "tls"}),
           client("DestroyObject", SLOT, tls), client("CreateObject", SLOT, key("tessera master key 1")))
    # She may generate for "ada", and use such keys in all ways; "tls" she may only sign with.
    expect("AccessDenied", client("CopyObject", SLOT, tls, {LABEL: "ada"}), client("CopyObject", SLOT, tls, {TOKEN: False}))
    copy = made(client("CopyObject", SLOT, own, {TOKEN: False, LABEL: "free"}))
    expect(bytes(16), client("GetSecretValue", SLOT, copy))
    made(client("GenerateKey", SLOT, AES_KEY_GEN, b"", {LABEL: "ada", TOKEN: True, VALUE_LEN: 16}))
    expect(2, len(client("DestroyObject", SLOT, own)))


def label_change_gains_nothing(client):
    """generate for both labels is not enough where the new label gives more than the old one."""
    tls = next(each for each, what in client.objects(SLOT).items() if what[LABEL] == b"tls")
    expect("AccessDenied", client("SetAttributes", SLOT, tls, {LABEL: "ada"}))
    expect(2, len(client("SetAttributes", SLOT, tls, {0x102: b"7"})))


def rules(root):
    tls = made(root("CreateObject", SLOT, key("tls")))
    expect("create-object ok secret key \"tls\" of slot web", *records(1))
    as_ada(without_a_rule)
    allow("sign", "--user", "ada", "--key", "tls")
    as_ada(who_signs_changes_nothing)
    expect(True, any(record.startswith('destroy-object AccessDenied secret key "tls" of slot web') for record in records(20)))
    done("who may sign makes, changes, destroys and takes out nothing")
    allow("sign", "decrypt", "derive", "wrap", "generate", "destroy", "--user", "ada", "--key", "ada")
    as_ada(who_generates_has_no_keys_of_others)
    expect(['generate-key ok secret key "ada" of slot web', 'destroy-object ok secret key "ada" of slot web'], records(2))
    done("who may generate for one label has that label alone, and gains nothing by copies")
    allow("generate", "--user", "ada", "--key", "tls")
    as_ada(label_change_gains_nothing)
    done("nor by other labels")
    expect(2, len(root("DestroyObject", SLOT, tls)))
    tessera("slot", "deny", "web", "sign", "generate", "--user", "ada", "--key", "tls")


def not_logged_in():
    """The token is logged in for others."""
    stranger = Client()
    expect("PinRequired", stranger("CreateObject", SLOT, key("x")), stranger("CreateObject", SLOT, key("x", stays=False)),
           stranger("GenerateKey", SLOT, AES_KEY_GEN, b"", {VALUE_LEN: 16}))
    expect(3, len(stranger("CreateObject", SLOT, {CLASS: DATA, TOKEN: True, PRIVATE: False, LABEL: "public"})))
    stranger.end()
    done("nobody uses another program's login")


# --- PINs -------------------------------------------------------------------------------------------


def pins(client):
    expect("PinWrong", client("ChangePin", SLOT, b"000000", PIN))
    expect((), client("ChangePin", SLOT, PIN, b"161803"), client("ChangePin", SLOT, b"161803", PIN))
    expect("PinLength", client("ChangePin", SLOT, PIN, b"1"))
    expect("TokenRefused", *("TokenRefused" if answer.startswith("CKR_") or answer == "TokenRefused" else answer for answer in (
        client("CheckUnblockCode", SLOT, b"000000"), client("InitPin", SLOT, b"000000", PIN),
        client("ChangeOfficerPin", SLOT, b"000000", PIN), client("InitToken", SLOT, b"000000", "web"),
        client("InitToken", SLOT, b"000000", "another"))))
    expect("InvalidArgument", *(client("InitToken", SLOT, b"000000", label)
                                for label in ("", "a" * 33, "blank ", "kept", "tessera")))
    # A minute may end meanwhile, and the counting with it.
    answers = [client("ChangePin", SLOT, b"000000", PIN) for _ in range(21)]
    expect(True, "PinBlocked" in answers, answers.count("PinWrong") <= 20)
    kept = SLOT + 1
    expect("NotSupported", client("ChangePin", kept, PIN, PIN), client("CheckUnblockCode", kept, PIN),
           client("InitPin", kept, PIN, PIN), client("InitToken", kept, PIN, "kept"),
           client("ChangeOfficerPin", kept, PIN, PIN), client("ChangeOfficerPin", 1, PIN, PIN))
    made(client("CreateObject", kept, key("no login")))
    done("PINs change where programs have them, and wrong ones are limited")


# --- survival ---------------------------------------------------------------------------------------


def make_until_the_end():
    """In a process of its own: makes and destroys until the daemon goes."""
    client = Client()
    client("Login", SLOT, PIN)
    while True:
        answer = client("CreateObject", SLOT, key("in between"))
        if isinstance(answer, str):
            return answer
        client("CreateObject", SLOT, key("own", stays=False))
        answer = client("DestroyObject", SLOT, answer[0])


def killed_in_the_middle():
    for pause in 0.3, 0.7:
        children = []
        for _ in range(3):
            child = os.fork()
            if child == 0:
                make_until_the_end()
                os._exit(0)
            children.append(child)
        time.sleep(pause)
        sandbox("kill_daemon; start_daemon")
        for child in children:
            os.waitpid(child, 0)
    tessera("slot", "test", "web")
    client = Client()
    client("Login", SLOT, PIN)
    left = client.objects(SLOT)
    expect([], [each for each in left if each >= SESSION_OBJECT])
    for each, what in left.items():
        if what[LABEL] == b"in between":
            expect(2, len(client("DestroyObject", SLOT, each)))
    expect(0, client.labels(SLOT).count("in between"))
    expect(16, len(client("UseKey", bytes(16), SLOT, made(client("CreateObject", SLOT, key("after"))), "encrypt", AES_ECB, b"", b"")))
    done("a daemon that is killed in the middle leaves whole objects or none")


def main():
    os.chdir(os.environ["TESSERA_SANDBOX"] + "/tmp")
    with open("pin", "wb") as file:
        file.write(PIN + b"\n")
    tessera("slot", "add", "web", "--create", "--pin-file", "pin")
    tessera("slot", "add", "kept", "--create", "--keep-pin", "--pin-file", "pin")
    client, other = Client(), Client()
    for one in client, other:
        expect((), one("Login", SLOT, PIN))
    rules(client)
    secret_keys_encrypt(client)
    secret_keys_make_macs(client)
    keys_come_and_go_wrapped(client)
    key_pairs(client)
    hostile_attributes(client)
    own_objects(client, other)
    objects_end_with_the_connection()
    generations(client, other)
    not_logged_in()
    pins(client)
    killed_in_the_middle()
    expect(True, "whole" in output("audit", "verify"))


if __name__ == "__main__":
    main()
