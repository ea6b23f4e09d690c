#!/usr/bin/env python3
"""Asks two API servers the same, at random but by a seed, and tells where their answers differ. See docs/testing.md.

    compare.py --seed 7 --sessions 200 [--only word] FOLDER URL ETCD FOLDER URL ETCD
"""
import argparse
import collections
import difflib
import glob
import json
import os
import random
import re
import sys

import yaml

import mutate
import questions
import schemas
import server

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api-cases")


def read_bases():
    """What the case files create: path and object, and what must be there before."""
    bases, before, words = [], [], set()
    for name in sorted(glob.glob(CASES + "/*/*.yaml")):
        text = open(name).read()
        if "# flags: --service-cluster-ip-range" in text:
            continue
        file = yaml.safe_load(text)
        before += [(name, b) for b in file.get("before") or []]
        for group in file["groups"]:
            before += [(name, b) for b in group.get("before") or []]
            if group.get("base"):
                bases.append({"path": group.get("path") or file["path"], "object": json.loads(json.dumps(group["base"], default=str))})
        strings(file, words)
    return bases, before, sorted(words)


def strings(value, found):
    if isinstance(value, dict):
        for item in value.values():
            strings(item, found)
    elif isinstance(value, list):
        for item in value:
            strings(item, found)
    elif isinstance(value, str) and len(value) < 100 and not value.startswith("<"):
        found.add(value)


class Reporter:
    def __init__(self, limit):
        self.limit, self.asked, self.classes = limit, 0, collections.Counter()
        self.label = ""

    def __call__(self, session, method, path, headers, bodies, answers):
        self.asked += 1
        if same(*answers) or by_chance(session, method, path, headers, bodies, answers):
            return True
        lines = list(difflib.unified_diff(readable(answers[0]), readable(answers[1]), n=0, lineterm=""))[2:]
        lines = [l for l in lines if not l.startswith("@@")] or first_difference(*[a.shown() for a in answers])
        self.classes[session.resource + " " + method] += 1
        print("== %s  %s %s" % (self.label, method, path))
        for name, value in headers:
            print("   %s: %s" % (name, value))
        if bodies[1]:
            print("   " + bodies[1].decode("utf-8", "replace")[: self.limit])
        self.show(lines)
        return False

    def show(self, lines):
        for i, line in enumerate(lines[:40]):
            other = lines[i + 1] if line[:1] == "-" and i + 1 < len(lines) else lines[i - 1] if line[:1] == "+" and i else ""
            start = len(os.path.commonprefix([line[1:], other[1:]])) if len(line) > self.limit else 0
            start = max(start - self.limit // 3, 0)
            print("   %s%s%s" % (line[:1], "..." if start else "", line[1 + start: 1 + start + self.limit]))
        sys.stdout.flush()

    def etcd(self, session, method, path, stored):
        """What lies in etcd after a write: the same, or both servers would not read each other's."""
        if session.resource in NOT_ALIKE_IN_ETCD or stored_alike(*stored):
            return True
        self.classes[session.resource + " etcd"] += 1
        print("== %s  etcd after %s %s" % (self.label, method, path))
        texts = [[line for key in sorted(s) for line in ["", key] + s[key].split("\n")] for s in stored]
        lines = [l for l in list(difflib.unified_diff(*texts, n=0, lineterm=""))[2:] if not l.startswith("@@")]
        self.show(lines or first_difference(*["\n".join(t) for t in texts]))
        return False


def readable(answer):
    """Lines to be compared by eye: headers, and a JSON body with a line for each member."""
    text = answer.text()
    head = answer.shown()[: len(answer.shown()) - len(text)].split("\n")
    try:
        return head + json.dumps(json.loads(text), indent=1, ensure_ascii=False).split("\n")
    except ValueError:
        return head + text.split("\n")


# JSON at the original's; and what defaults add when they are read (docs/decisions/0015).
NOT_ALIKE_IN_ETCD = ("customresourcedefinitions", "apiservices", "flowschemas", "jobs", "persistentvolumeclaims")


def settled(answer):
    """A body whose entries of managedFields, which may be of one second, stand in one order."""
    body = json.loads(json.dumps(answer.json))
    for item in [body] + (body.get("items") or []):
        managers = (item.get("metadata") or {}).get("managedFields")
        if managers:
            managers.sort(key=lambda entry: server.masked(json.dumps(entry)))
    return server.masked(json.dumps(body))


def same(a, b):
    if a.shown() == b.shown():
        return True
    if a.code != b.code or not all(isinstance(x.json, dict) and b'"managedFields"' in x.body for x in (a, b)):
        return False
    return a.shown()[: -len(a.text())] == b.shown()[: -len(b.text())] and settled(a) == settled(b)


def unordered(answer):
    """The answer as its parts, whatever order they have."""
    return answer.code, sorted(re.split(r"[,\n\[\]]\s*", answer.shown()))


def by_chance(session, method, path, headers, bodies, answers):
    """Whether the original says the same in another order each time, as it does where it goes over a map."""
    if unordered(answers[0]) != unordered(answers[1]) or answers[0].code < 300 and method not in ("GET", "HEAD"):
        return False
    told = [answers[0].shown()]
    for _ in range(40):  # a small map of Go's is gone over from its first entry mostly
        again = session.servers[0].send(method, path, headers, bodies[0])
        if unordered(again) != unordered(answers[0]):
            return False
        if again.shown() not in told:
            return True
    return False


def stored_alike(a, b):
    """Whether texts by key are the same, the order of their lines aside: entries of managedFields may be of one second."""
    return a == b or {k: sorted(v.split("\n")) for k, v in a.items()} == {k: sorted(v.split("\n")) for k, v in b.items()}


def first_difference(a, b):
    """Where two texts that mean the same part: white space, order, escapes."""
    i = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return ["-" + repr(a[max(i - 40, 0): i + 80]), "+" + repr(b[max(i - 40, 0): i + 80])]


def prepare(servers, before):
    """What the case files want to be there; what one server refuses the other must refuse as well."""
    for name, step in before:
        method = "POST" if "object" in step else "PATCH"
        kind = "application/json" if method == "POST" else "application/merge-patch+json"
        body = json.dumps(step.get("object") or step.get("patch"), default=str).encode()
        answers = [s.send(method, step["path"], [("Content-Type", kind)], body) for s in servers]
        if answers[0].code != answers[1].code or answers[0].code >= 300 and answers[0].code != 409:
            print("%s: %s %s: %s" % (name, method, step["path"], [(a.code, a.body[:200]) for a in answers]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first session: with --sessions 1, that one again")
    parser.add_argument("--only", help="bases whose path has this")
    parser.add_argument("--width", type=int, default=400)
    parser.add_argument("servers", nargs=6)
    args = parser.parse_args()
    servers = [server.Server(*args.servers[:3]), server.Server(*args.servers[3:])]
    bases, before, words = read_bases()
    account = {"path": "/api/v1/namespaces/default/serviceaccounts", "object": {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}}
    prepare(servers, [("default", account)] + before)
    bases = [b for b in bases if not args.only or args.only in b["path"]]
    definitions = servers[0].send("GET", "/openapi/v2").json["definitions"]
    report = Reporter(args.width)
    for number in range(args.first, args.first + args.sessions):
        rng = random.Random("%d/%d" % (args.seed, number))
        mutator = mutate.Mutator(rng, definitions, words)
        report.label = "seed %d session %d" % (args.seed, number)
        base = rng.choice(bases)
        if base["path"].endswith("/customresourcedefinitions") and rng.random() < 0.7:
            base = schemas.definition(rng)
        questions.Session(servers, mutator, rng, base, report).play()
    print("%d questions, %d differences" % (report.asked, sum(report.classes.values())), dict(report.classes))
    sys.exit(1 if report.classes else 0)


main()
