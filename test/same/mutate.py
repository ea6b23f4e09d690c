"""Objects with mistakes in them, chosen by a random number generator that the caller seeds."""
import copy
import json

STRINGS = ["", "a", "A", "a.b", "a/b", "a/b/c", "-a", "a-", "_a", "a b", "a\nb", "a\tb", "\u00fc", "\ud83d\ude00", "x" * 63, "x" * 64,
           "x" * 253, "x" * 254, "true", "null", "0", "1", "-1", "1.5", "1e3", "08", "1Gi", "100m", "1n", "-1Ki", "0.0001", "1.5Gi", "9223372036854775808", "100%", "101%", "%",
           "10.0.0.1", "10.0.0.01", "010.0.0.1", "::1", "::ffff:1.2.3.4", "10.0.0.0/24", "10.0.0.1/24", "fd00::/64", "1.2.3", "2020-01-01T00:00:00Z",
           "2020-01-01T00:00:00.123456Z", "2020-01-01", "http://x", "https://a.b/c?d", "*", "*.a.b", "kubernetes.io/x", "example.com/x", "..", ".", "/", "/a/../b", "$(a)",
           "<&>", "\"'\\", "a,b", "a=b", "!a", "a:b", "Always", "Never", "None", "TCP", "80", "65536", "YQ==", "YQ", "default", "a" * 300]
NUMBERS = [0, 1, -1, 2, 10, 63, 64, 100, 101, 255, 256, 1000, 3600, 65535, 65536, 2147483647, 2147483648, -2147483648, -2147483649, 4294967296,
           9223372036854775807, -9223372036854775808, 9223372036854775808, 1.5, 1.0, 1e3, -0.0, 1e40]
OTHERS = [None, True, False, [], {}, [None], [[]], [{}], {"a": None}, {"": ""}, ["a"], ["a", "a"], {"a": "b"}, {"a": 1}, {"a": {"b": []}}]


def places(value, path=()):
    """Every path within a value."""
    if isinstance(value, dict):
        for key in value:
            yield path + (key,)
            yield from places(value[key], path + (key,))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield path + (i,)
            yield from places(item, path + (i,))


def at(value, path):
    for part in path:
        value = value[part]
    return value


class Mutator:
    """The types are the definitions of the OpenAPI document; words are strings that the case files use."""

    def __init__(self, rng, definitions, words):
        self.rng, self.definitions, self.words = rng, definitions, words
        self.by_kind = {}
        for name, schema in definitions.items():
            for gvk in schema.get("x-kubernetes-group-version-kind", []):
                self.by_kind.setdefault((gvk["group"], gvk["version"], gvk["kind"]), name)

    def schema_of(self, body):
        group, _, version = str(body.get("apiVersion")).rpartition("/")
        return self.resolve({"$ref": "#/definitions/" + self.by_kind.get((group, version, body.get("kind")), "")})

    def resolve(self, schema):
        while schema and "$ref" in schema:
            schema = self.definitions.get(schema["$ref"][len("#/definitions/"):])
        return schema or {}

    def type_at(self, schema, path):
        for part in path:
            schema = self.resolve(schema)
            if isinstance(part, int):
                schema = schema.get("items", {})
            else:
                schema = schema.get("properties", {}).get(part) or schema.get("additionalProperties") or {}
        return self.resolve(schema)

    def string(self):
        return self.rng.choice(self.words if self.rng.random() < 0.5 else STRINGS)

    def value(self, schema, depth=0):
        """A value that the type admits, more or less."""
        rng, schema = self.rng, self.resolve(schema)
        kind = schema.get("type")
        if "enum" in schema and rng.random() < 0.9:
            return rng.choice(schema["enum"])
        if kind == "string":
            if schema.get("format") == "int-or-string":
                return rng.choice([rng.choice(NUMBERS), self.string()])
            if schema.get("format") == "date-time" and rng.random() < 0.8:
                return "2020-01-0%dT00:00:00Z" % rng.randint(1, 9)
            return self.string()
        if kind in ("integer", "number"):
            return rng.choice(NUMBERS[:12] if rng.random() < 0.8 else NUMBERS)
        if kind == "boolean":
            return rng.random() < 0.5
        if kind == "array":
            return [self.value(schema.get("items", {}), depth + 1) for _ in range(rng.choice((0, 1, 1, 1, 2)))]
        properties = schema.get("properties")
        if properties:
            required = schema.get("required", [])
            chance = 0.4 / (depth + 1)
            return {name: self.value(kind, depth + 1) for name, kind in properties.items()
                    if (name in required and rng.random() < 0.95) or rng.random() < chance}
        return {self.string(): self.value(schema.get("additionalProperties") or {"type": "string"}, depth + 1)
                for _ in range(rng.choice((0, 1, 1, 2)))}

    def odd(self):
        return copy.deepcopy(self.rng.choice(self.rng.choice((STRINGS, self.words, NUMBERS, OTHERS))))

    def change(self, body, schema, only=()):
        """One change; only names the members at the top that it may touch."""
        rng = self.rng
        found = [p for p in places(body) if not only or p[0] in only]
        if not found:
            return
        path = rng.choice(found)
        holder, key = at(body, path[:-1]), path[-1]
        how = rng.randrange(12)
        if how == 0:
            del holder[key]
        elif how == 1:
            holder[key] = self.odd()
        elif how == 2:
            holder[key] = None
        elif how == 3 and isinstance(holder, list):
            holder.insert(rng.randint(0, len(holder)), copy.deepcopy(holder[key]))
        elif how == 4 and isinstance(holder, dict):
            holder[rng.choice([key.upper(), key + "x", "unknown", key[:-1]])] = copy.deepcopy(holder[key])
        elif how == 5:
            holder[key] = copy.deepcopy(at(body, rng.choice(list(places(body)))))
        elif how <= 8:
            self.add_field(body, schema, path)
        elif isinstance(holder[key], str):
            holder[key] = self.string()
        elif isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
            holder[key] = rng.choice(NUMBERS)
        else:
            holder[key] = self.value(self.type_at(schema, path))

    def add_field(self, body, schema, path):
        """A field that the type has, in the object at or above the path."""
        while path and not isinstance(at(body, path), (dict, list)):
            path = path[:-1]
        target, kind = at(body, path), self.type_at(schema, path)
        if isinstance(target, list):
            target.insert(self.rng.randint(0, len(target)), self.value(kind.get("items", {})))
        elif kind.get("properties"):
            name = self.rng.choice(sorted(kind["properties"]))
            target[name] = self.value(kind["properties"][name])
        else:
            target[self.string()] = self.value(kind.get("additionalProperties") or {"type": "string"})

    def mutated(self, body, only=()):
        body, schema = copy.deepcopy(body), self.schema_of(body)
        for _ in range(self.rng.choice((1, 1, 1, 2, 2, 3, 4))):
            self.change(body, schema, only)
        return body

    def text(self, body):
        """As JSON, now and then with a member written twice or broken."""
        text = json.dumps(body, separators=(",", ":"))
        if self.rng.random() < 0.04 and len(text) > 4:
            i = self.rng.randrange(len(text))
            return text[:i] + self.rng.choice(["", ",", "}", '"', "\\", "[", " ", "1", "\x01"]) + text[i + self.rng.randint(0, 2):]
        if self.rng.random() < 0.04 and '"metadata":' in text:
            return text.replace('"metadata":', '"metadata":{"name":"twice"},"metadata":', 1)
        return text
