"""Bodies in other forms than JSON: YAML as people write it, and protobuf, now and then broken."""
import json
import re

import protobuf

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./-]*( [A-Za-z0-9]+)*$")
WORDS = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")
ODD_SCALARS = ["yes", "No", "on", "~", "Null", "0o17", "017", "0x1F", "1_000", "1e3", ".5", "1.", "+1", "-0", ".inf", "-.INF", ".nan", "2020-01-01", "2020-01-01T00:00:00Z", "1:30",
               "190:20:30", "!!str 1", "!!int '1'", "!!float 1", "!!binary YQ==", "!!bool yes", "!!null x", "!x y", "'it''s'", '"\\x41\\u00e9\\n\\/"', "|\n%s  a\n%s  b\n", ">-\n%s  a\n%s  b\n",
               "*a", "&a b", "a: b", "@a", "`a", "%a", "a #b", "a#b", "- a", "? a", "\t", "{a: b, c}", "[a, [b], ]", "{a: [}", "'a", "\"a", "<<", "=", "12345678901234567890", "1.0", "1e400", "0b11",
               "a\\nb", "\u00fc", "\U0001f600", "\u2028", "\x7f", "\u0085"]


def yaml(rng, value, indent=""):
    """Block style with odd scalars, flow style in places."""
    if rng.random() < 0.02:
        odd = rng.choice(ODD_SCALARS)
        return odd % (indent, indent) if "%s" in odd else odd
    if isinstance(value, (dict, list)) and (not value or rng.random() < 0.1):
        return json.dumps(value, ensure_ascii=rng.random() < 0.5)
    if isinstance(value, dict):
        lines = []
        for key, item in value.items():
            lines.append(indent + scalar(rng, key) + rng.choice([":", ":", ":", " :"]) + " " + below(rng, item, indent))
            if rng.random() < 0.01:
                lines.append(rng.choice([lines[-1], "# c", "", "---", "...", indent + "<<: {a: b}", indent + "<<: *a", indent + "? a", "\t" + indent + "a: b", indent[1:] + "a: b", "%YAML 1.1"]))
        return "\n".join(lines)
    if isinstance(value, list):
        return "\n".join(indent + "- " + below(rng, item, indent + "  ").lstrip("\n").replace(indent + "  ", "", 1) if isinstance(item, dict) and item and rng.random() < 0.9
                         else indent + "- " + below(rng, item, indent + "  ") for item in value)
    return scalar(rng, value)


def below(rng, value, indent):
    if isinstance(value, (dict, list)) and value:
        deeper = indent if isinstance(value, list) and rng.random() < 0.5 else indent + "  "
        text = yaml(rng, value, deeper)
        return "\n" + text if text.startswith(deeper + "-") or deeper and text.startswith(deeper) or "\n" in text or not deeper else text
    return yaml(rng, value, indent)


def scalar(rng, value):
    if isinstance(value, str):
        if PLAIN.match(value) and value.lower() not in WORDS:
            return value
        if "'" not in value and "\n" not in value and value.isprintable() and rng.random() < 0.5:
            return "'%s'" % value
        return value if rng.random() < 0.05 else json.dumps(value)
    return json.dumps(value)


def protobuf_body(rng, body):
    """What the original wrote, with mistakes in its bytes."""
    if rng.random() < 0.3 or not body.startswith(protobuf.MAGIC):
        return body
    how = rng.randrange(8)
    at = rng.randrange(len(body))
    if how == 0:
        return body[:at]
    if how == 1:
        return body[:at] + bytes([rng.randrange(256)]) + body[at + 1:]
    if how == 2:
        return body + rng.choice([b"\0", b"\x0a\x00", b"\x28\x01", b"\x1a\x01x", b"\x22\x10application/json"])
    try:
        return protobuf.MAGIC + changed(rng, body[4:], how)
    except protobuf.Bad:
        return body


def changed(rng, data, how):
    """One change of a field somewhere in a message."""
    found = protobuf.fields(data)
    if not found:
        return data + b"\x08\x01"
    i = rng.randrange(len(found))
    number, kind, value = found[i]
    if kind == 2 and value and rng.random() < 0.8:
        try:
            found[i] = (number, 2, changed(rng, value, how))
            return protobuf.encode(found)
        except protobuf.Bad:
            pass
    if how == 3:
        del found[i]
    elif how == 4:
        found.insert(i, found[i])
    elif how == 5:
        found[i] = (rng.choice([number + 1, 15, 200, 536870911]), kind, value)
    elif how == 6:
        found[i] = (number, 0, rng.choice([0, 1, 2 ** 31, 2 ** 63, 2 ** 64 - 1])) if kind == 2 else (number, 2, b"a")
    else:
        found[i] = (number, kind, rng.choice([0, 1, 2 ** 32, 2 ** 64 - 1]) if kind == 0 else rng.choice([b"", b"\xff", b"a\0b", b"A", b"x" * 300]) if kind == 2 else value)
    return protobuf.encode(found)
