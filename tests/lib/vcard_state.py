# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a virtual card's file (tests/vcard/state.c) tells of its secrets, for tests that look for them elsewhere."""

MAGIC = b"TESSERA-VCARD-1\n"
TAG_PUK, TAG_MANAGEMENT, TAG_OBJECT = 0xC3, 0xC4, 0xC5
AUTHENTICATION_CERTIFICATE = 0x5FC105  # SP 800-73-4 part 1, table 3


def elements(content):
    at = len(MAGIC)
    while at < len(content):
        tag, length, at = content[at], content[at + 1], at + 2
        if length > 0x80:
            size = length - 0x80
            length, at = int.from_bytes(content[at:at + size], "big"), at + size
        yield tag, content[at:at + length]
        at += length


def secrets(path):
    """PUK and management key, by name."""
    with open(path, "rb") as file:
        kept = dict(elements(file.read()))
    return {"PUK": kept[TAG_PUK][:8], "management key": kept[TAG_MANAGEMENT][2:]}


def certificate(path):
    """The object of the authentication key's certificate, or nothing."""
    with open(path, "rb") as file:
        for tag, value in elements(file.read()):
            if tag == TAG_OBJECT and int.from_bytes(value[:4], "big") == AUTHENTICATION_CERTIFICATE:
                return value[4:]
    return b""
