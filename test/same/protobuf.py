"""Protobuf as text: read without a schema, so that two servers' bytes can be compared whatever reads them."""
import re
import struct

MAGIC = b"k8s\0"
UID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
NUMBER = re.compile(rb"\d+$")
VERSIONS = ((1, 6), (1, 2))  # ends of the paths of resource versions, in ObjectMeta and ListMeta
TIMES = range(1600000000, 2200000000)
PORTS = range(30000, 32768)  # of nodes: chosen at random


class Bad(Exception):
    pass


def varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Bad
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """[(number, wire type, value)]; Bad if it is no message."""
    at, found = 0, []
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if not 0 < number < 1000:
            raise Bad
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at:at + size], at + size
            if value.isascii() and value.decode().isprintable():
                raise Bad  # a text
        else:
            raise Bad
        if at > len(data):
            raise Bad
        found.append((number, kind, value))
    return found


def encode(found):
    out = bytearray()
    for number, kind, value in found:
        put_varint(out, number << 3 | kind)
        if kind == 0:
            put_varint(out, value)
            continue
        if kind == 2:
            put_varint(out, len(value))
        out += value
    return bytes(out)


def put_varint(out, value):
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def lines(data, path, indent, out):
    """What a message holds, a line for each field. Zeros and empty texts say no more than their absence (the original writes them)."""
    for number, kind, value in fields(data):
        here = path + (number,)
        if kind == 0 and value:
            out.append("%s%d: %s" % (indent, number, "TIME" if value in TIMES else "PORT" if value in PORTS else value))
            if number == 1 and value in TIMES:
                return
        elif kind == 1:
            out.append("%s%d: %r" % (indent, number, struct.unpack("<d", value)[0]))
        elif kind == 5:
            out.append("%s%d: %s" % (indent, number, value.hex()))
        elif kind == 2 and value:
            bytes_lines(value, here, indent, out)


def bytes_lines(value, path, indent, out):
    head = "%s%d: " % (indent, path[-1])
    if UID.match(value):
        out.append(head + "UID")
    elif NUMBER.match(value) and path[-2:] in VERSIONS:
        out.append(head + "VERSION")
    elif value.startswith(MAGIC):
        out.append(head + "k8s")
        lines(value[4:], (0,), indent + "  ", out)
    else:
        below = []
        try:
            lines(value, (0,) if path == (0, 2) else path, indent + "  ", below)
        except Bad:
            out.append(head + repr(value.decode("utf-8", "backslashreplace")))
            return
        if below:
            out.append(head)
            out.extend(below)


def text(body):
    """An object in its envelope, or the frames of a watch; None if it is neither."""
    out = []
    try:
        if body.startswith(MAGIC):
            lines(body[4:], (0,), "", out)
            return "\n".join(out)
        while body:
            size = int.from_bytes(body[:4], "big")
            if len(body) < 4 + size:
                return None
            out.append("frame")
            lines(body[4:4 + size], (0,), "  ", out)
            body = body[4 + size:]
    except Bad:
        return None
    return "\n".join(out)
