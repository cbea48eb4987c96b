# SPDX-License-Identifier: LGPL-2.1-or-later
"""As much DER as tests/servers/ms-cs needs beyond what python3-cryptography reads and writes."""

SEQUENCE, SET, OID, INTEGER, OCTETS, BMP, CONTEXT_0 = 0x30, 0x31, 0x06, 0x02, 0x04, 0x1E, 0xA0


class DerError(ValueError):
    """It is no DER, or not what was expected."""


def read(data):
    """The values of DER one after another: [(tag, content, whole)]."""
    values, position = [], 0
    while position < len(data):
        start = position
        if len(data) - position < 2:
            raise DerError("cut off")
        tag, length = data[position], data[position + 1]
        position += 2
        if length & 0x80:
            count = length & 0x7F
            if count not in (1, 2, 3) or position + count > len(data):
                raise DerError("a wrong length")
            length = int.from_bytes(data[position:position + count], "big")
            position += count
        if position + length > len(data):
            raise DerError("cut off")
        values.append((tag, data[position:position + length], data[start:position + length]))
        position += length
    return values


def only(data, tag):
    """The content of the one value that data is."""
    values = read(data)
    if len(values) != 1 or values[0][0] != tag:
        raise DerError(f"not one value of tag {tag:#x}")
    return values[0][1]


def oid_text(content):
    numbers, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(n) for n in [first, numbers[0] - 40 * first] + numbers[1:])


def write(tag, *contents):
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def oid(text):
    numbers = [int(n) for n in text.split(".")]
    numbers[:2] = [numbers[0] * 40 + numbers[1]]
    content = b""
    for number in numbers:
        part = bytes([number & 0x7F])
        while number > 0x7F:
            number >>= 7
            part = bytes([0x80 | number & 0x7F]) + part
        content += part
    return write(OID, content)


def signed_data(message):
    """(type of the content, content, [signed attributes of each signer: {oid: [values]}]) of CMS."""
    kind, wrapped = read(only(message, SEQUENCE))[:2]
    if oid_text(kind[1]) != "1.2.840.113549.1.7.2":
        raise DerError("no SignedData")
    fields = read(only(wrapped[1], SEQUENCE))
    content = read(fields[2][1])
    octets = only(content[1][1], OCTETS) if len(content) == 2 else None
    signers = []
    for _, signer, _ in read(fields[-1][1]):
        attributes = {}
        for tag, part, _ in read(signer):
            if tag != CONTEXT_0:
                continue
            for _, attribute, _ in read(part):
                name, values = read(attribute)
                if oid_text(name[1]) in attributes:
                    raise DerError("an attribute is there twice")
                attributes[oid_text(name[1])] = [whole for _, _, whole in read(values[1])]
        signers.append(attributes)
    return oid_text(content[0][1]), octets, signers


def name_values(values):
    """The pairs of szOID_ENROLLMENT_NAME_VALUE_PAIR: {name: value}."""
    pairs = {}
    for value in values:
        parts = read(only(value, SEQUENCE))
        if len(parts) != 2 or any(tag != BMP for tag, _, _ in parts):
            raise DerError("a pair is two BMPStrings")
        name, text = (content.decode("utf-16-be") for _, content, _ in parts)
        pairs[name] = text
    return pairs


def response(certificates):
    """SignedData around an empty PKIResponse, with certificates (DER) and nobody's signature."""
    empty = write(SEQUENCE, write(SEQUENCE), write(SEQUENCE), write(SEQUENCE))
    content = write(SEQUENCE, oid("1.3.6.1.5.5.7.12.3"), write(CONTEXT_0, write(OCTETS, empty)))
    signed = write(SEQUENCE, write(INTEGER, b"\x03"), write(SET), content, write(CONTEXT_0, *certificates), write(SET))
    return write(SEQUENCE, oid("1.2.840.113549.1.7.2"), write(CONTEXT_0, signed))
