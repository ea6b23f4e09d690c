"""Definitions of custom resources whose schemas a random number generator chooses: with rules, and with defaults that may break them."""

NAMES = ["a", "b", "c-d", "e.f", "in", "spec", "x__y", "n"]
FORMATS = ["", "", "", "byte", "date", "date-time", "duration", "email", "hostname", "ipv4", "uri", "uuid", "nothing"]
TEXTS = ["", "a", "abc", "aaaaaaaa", "YQ==", "2020-01-02", "2020-01-02T03:04:05+02:00", "90s", "2 weeks", "a@b.c", "a.example.com", "10.0.0.1", "http://a/b", "123e4567-e89b-42d3-a456-426614174000"]
NUMBERS = [0, 1, 2, 3, 10, -1, 1.5, 2.0]
RULES = {
    "string": ["self.size() > 2", "self == 'abc'", "self.startsWith('a')", "self.matches('^a+$')", "self == oldSelf", "self.contains(self)", "int(self) > 1", "self > 1", "self.find('[0-9]+') != ''", "self.split(',').size() == 1",
               "string(self) == 'a'", "self in ['a', 'abc']"],
    "integer": ["self > 1", "self % 2 == 0", "10 / self > 1", "self == 1.5", "self.size() > 1", "self >= oldSelf", "double(self) < 2.5", "[1, 2][self] == 2"],
    "number": ["self > 1.0", "self == 2", "self / 2.0 < 1.0", "int(self) == 1"],
    "boolean": ["self", "!self", "self == true || self", "self + 1"],
    "array": ["self.size() < 3", "self.all(x, x == x)", "self.exists(x, x != x)", "self == oldSelf", "self[0] == self[1]", "self + self == self", "self.all(x, self.all(y, x == y))", "self.map(x, x).size() == 2", "self.isSorted()", "self.sum() > 1"],
    "object": ["self == oldSelf", "has(self.a)", "self.a == self.b", "self.size() < 2", "self.all(k, k != 'a')", "self.exists(k, self[k] == self[k])", "'a' in self", "self.c__dash__d == self.__in__", "has(self.spec) && has(self.spec.a)",
               "self.?a.hasValue()", "self.metadata.name != ''", "self.kind == 'A'"],
    "": ["self == 1", "self == 'a'", "type(self) == int", "self.size() > 1"],
}
MESSAGES = [None, "it is wrong", "  ", "a\nb"]
EXPRESSIONS = [None, None, "'so ' + 'it is'", "string(self)", "self", "1", "''", "'a'[1]", "oldSelf"]
PATHS = [None, None, None, ".a", "a", ".a.b", ".spec['c-d']", "['a']", ".n[0]"]
REASONS = [None, None, "FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate", "Other"]


def rule(rng, kind):
    found = {"rule": rng.choice(RULES[kind])}
    for name, values in (("message", MESSAGES), ("messageExpression", EXPRESSIONS), ("fieldPath", PATHS), ("reason", REASONS), ("optionalOldSelf", [None] * 5 + [True, False])):
        value = rng.choice(values) if rng.random() < 0.3 else None
        if value is not None:
            found[name] = value
    return found


def limits(rng, kind):
    chosen = {"string": {"minLength": 2, "maxLength": 5, "pattern": "^a", "enum": ["a", "abc"]}, "integer": {"minimum": 1, "maximum": 2, "multipleOf": 2}, "number": {"minimum": 1, "exclusiveMinimum": True},
              "array": {"minItems": 1, "maxItems": 3}, "object": {"minProperties": 1, "maxProperties": 3}}.get(kind, {})
    return {name: value for name, value in chosen.items() if rng.random() < (0.6 if name.startswith("max") else 0.1)}


def schema(rng, depth=0):
    kind = rng.choice(["string", "string", "integer", "number", "boolean", "array", "object", "object", ""] if depth < 4 else ["string", "integer", "boolean"])
    found = {"type": kind, **limits(rng, kind)} if kind else {rng.choice(["x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"]): True}
    if kind == "string" and rng.choice(FORMATS):
        found["format"] = rng.choice(FORMATS) or "byte"
    if kind == "array":
        found["items"] = schema(rng, depth + 1)
        if rng.random() < 0.4:
            found["x-kubernetes-list-type"] = rng.choice(["set", "atomic", "map"])
        if found.get("x-kubernetes-list-type") == "map":
            keys = [rng.choice(NAMES) for _ in range(rng.randint(1, 2))]
            found["x-kubernetes-list-map-keys"] = keys
            found["items"] = {"type": "object", "required": keys, "properties": {**{k: schema(rng, 4) for k in keys}, "v": schema(rng, depth + 2)}}
    if kind == "object":
        if rng.random() < 0.3:
            found["additionalProperties"] = schema(rng, depth + 1)
        else:
            found["properties"] = {name: schema(rng, depth + 1) for name in rng.sample(NAMES, rng.randint(1, 4))}
            found["required"] = [n for n in found["properties"] if rng.random() < 0.2] or None
        found["x-kubernetes-map-type"] = rng.choice([None, None, "atomic", "granular"])
        if rng.random() < 0.1:
            found["x-kubernetes-embedded-resource"] = True
    if rng.random() < 0.08:
        found["nullable"] = True
    if rng.random() < 0.05:
        found[rng.choice(["allOf", "anyOf", "oneOf"])] = [limits(rng, kind) for _ in range(2)]
    if rng.random() < 0.35:
        found["x-kubernetes-validations"] = [rule(rng, kind if rng.random() < 0.9 else rng.choice(list(RULES))) for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.3:
        found["default"] = value(rng, found)
    return {name: part for name, part in found.items() if part is not None}


def value(rng, of):
    """What the schema means, mostly."""
    kind = of.get("type") if rng.random() < 0.97 else rng.choice(["string", "integer", "array"])
    if rng.random() < 0.02:
        return None
    if kind == "string":
        return rng.choice(of["enum"]) if "enum" in of and rng.random() < 0.9 else rng.choice(TEXTS)
    if kind in ("integer", "number"):
        return rng.choice(NUMBERS[:6] if kind == "integer" and rng.random() < 0.95 else NUMBERS)
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "array":
        return [value(rng, of.get("items") or {}) for _ in range(rng.randint(0, 3))]
    if kind == "object":
        parts = of.get("properties") or {name: of.get("additionalProperties") or {} for name in rng.sample(NAMES, 2)}
        found = {name: value(rng, part) for name, part in parts.items() if rng.random() < 0.8}
        if of.get("x-kubernetes-embedded-resource"):
            found.update({"apiVersion": "v1", "kind": "A", "metadata": rng.choice([{"name": "a"}, {"name": "a", "nothing": 1}, {"labels": {"a": "b"}}])})
        if rng.random() < 0.03:
            found["unknown"] = 1
        return found
    return rng.choice([1, "a", {"a": 1}, [1]])


def definition(rng):
    versions = [{"name": name, "served": True, "storage": name == "v1", "schema": {"openAPIV3Schema": root(rng)}} for name in ["v1", "v2"][: rng.choice([1, 1, 2])]]
    for version in versions:
        if rng.random() < 0.2:
            version["subresources"] = rng.choice([{"status": {}}, {"scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}}])
        if rng.random() < 0.2:
            version["selectableFields"] = [{"jsonPath": rng.choice([".a", ".spec.a", ".spec.n", "a", ".metadata.name", ".spec['c-d']"])}]
        if rng.random() < 0.2:
            version["additionalPrinterColumns"] = [{"name": "A", "type": rng.choice(["string", "date", "integer", "text"]), "jsonPath": rng.choice([".spec.a", ".metadata.creationTimestamp", "spec", ".spec.n[0]"])}]
    names = {"plural": "generated", "singular": "generated1", "kind": "Generated", "listKind": "GeneratedList"}
    return {"path": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            "object": {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "generated.same.example.com"},
                       "spec": {"group": "same.example.com", "scope": rng.choice(["Namespaced", "Cluster"]), "names": names, "versions": versions}}}


def root(rng):
    found = {"type": "object", "properties": {name: schema(rng, 1) for name in ["spec"] + rng.sample(NAMES, 2)}}
    if rng.random() < 0.2:
        found["x-kubernetes-validations"] = [rule(rng, "object")]
    return found
