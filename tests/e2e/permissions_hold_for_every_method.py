#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# every method of the contract is refused without its permission, for every role and without a login
# time limit: 300
"""Walks the methods of dbus/*.xml times the roles that tesserad has.

A method's comment says what it needs: "Permission: NAME", "anyone" or "holder"; one that says nothing
fails the test. Whether a role gives it is what ListRoles says.
"""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

SOURCE = Path(os.environ["TESSERA_SOURCE"])
TEMPORARY = Path(os.environ["TESSERA_SANDBOX"]) / "tmp"
ROOT = "/org/tessera1"
# An object that is not there: rights are looked at before objects are.
PLACES = {"Credential": "/credential/99", "Template": "/template/nothing", "Job": "/job/999",
          "Connection": "/connection/nothing", "Type": "/type/nothing", "Reader": "/reader/99",
          "Slot": "/slot/nothing",
          "Licence": "/licence"}
VALUES = {"s": ["x"], "o": ["/"], "x": ["0"], "u": ["1"], "b": ["false"], "ay": ["0"], "as": ["0"],
          "a{ss}": ["0"], "a{sv}": ["0"], "a(uay)": ["0"], "t": ["0"], "i": ["0"]}
REFUSED = re.compile(r"must log in first|do not let one")
# The handler itself asks, as it depends on what there is already.
SPECIAL = {"Manager.AddSystemOwner": "manage-owners"}


def methods():
    """(interface.member, rule, path, arguments) of every method."""
    for path in sorted((SOURCE / "dbus").glob("org.tessera1.*.xml")):
        parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
        for interface in ET.parse(path, parser).getroot().findall("interface"):
            comment = ""
            for node in interface:
                if node.tag is ET.Comment:
                    comment = " ".join(node.text.split())
                elif node.tag == "method":
                    yield describe(interface.get("name").split(".")[-1], node, comment)
                    comment = ""


def describe(interface, node, comment):
    name = f"{interface}.{node.get('name')}"
    rule = re.search(r"Permission: ([a-z-]+)", comment) or re.search(r"\b(anyone|holder)\. ", comment)
    types = [argument.get("type") for argument in node.findall("arg")
             if argument.get("direction") == "in"]
    arguments = ["".join(types), *(value for kind in types for value in VALUES[kind])] if types else []
    rule = SPECIAL.get(name) or (rule and rule[1])
    if interface in ("Provider", "ReaderAgent"):
        rule = "holder"
    return name, rule, ROOT + PLACES.get(interface, ""), arguments


def busctl(socket, path, name, arguments):
    """name: Interface.Method of the contract, or any.interface:Method."""
    interface, member = name.split(":") if ":" in name else f"org.tessera1.{name}".rsplit(".", 1)
    environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={socket}")
    result = subprocess.run(["busctl", "--no-pager", "call", "org.tessera1", path, interface, member, *arguments],
                            env=environment, text=True, capture_output=True, timeout=60)
    return result.stdout + result.stderr


def walk(socket, role, permissions):
    """What is wrong for who has logged in over that socket."""
    problems = []
    for name, rule, path, arguments in sorted(methods(), key=lambda method: method[0] == "Manager.Logout"):
        if rule is None:
            problems.append(f"{name}: the contract does not say what it needs")
            continue
        answer = busctl(socket, path, name, arguments)
        allowed = rule in ("anyone", "holder") or rule in permissions
        if allowed == bool(REFUSED.search(answer)):
            problems.append(f"{name} ({rule}) for {role}: {answer.strip()}")
    return problems


def tessera(*arguments, **options):
    return subprocess.run(["tessera", *arguments], check=True, text=True, capture_output=True,
                          timeout=60, **options).stdout


def walk_as_operator(role, permissions):
    """In a login of the operator's card; this program runs itself in it."""
    environment = {name: value for name, value in os.environ.items() if name != "TESSERA_SESSION"}
    result = subprocess.run(["tessera", "login", "--reader", "1", "--pin-file", "pin", "--",
                             sys.executable, os.path.abspath(__file__), role, " ".join(permissions)],
                            env=environment, text=True, capture_output=True, timeout=200)
    if result.returncode not in (0, 1) or "logged in" not in result.stderr:
        return [f"{role}: {result.stderr}"]
    return result.stdout.splitlines()


def make_operator():
    (TEMPORARY / "pin").write_text("271828\n")
    tessera("card", "issue", "--reader", "1", "--template", "operator", "--roles", "auditor")
    tessera("card", "activate", "reader:1", "--new-pin-file", "pin")


# What there is and is in no reader, and what there is not. Of the readers' cards everybody knows.
THERE = {"Credential": ("/credential/1", "/credential/99"), "Template": ("/template/ec", "/template/nothing"),
         "Type": ("/type/piv", "/type/nothing")}
# Arguments that name a card, whether it is managed and where it is.
NAMES = {"o": ((ROOT + "/credential/1", ROOT + "/credential/99"), (ROOT + "/reader/1", ROOT + "/reader/99")),
         "s": (("yubikey-19999999", "yubikey-99"),)}
PROPERTIES = "org.freedesktop.DBus.Properties"


def standard_calls(interface):
    name = f"org.tessera1.{interface}"
    return [(PROPERTIES, "GetAll", ["s", name]), (PROPERTIES, "Get", ["ss", name, "Name"]),
            (PROPERTIES, "Set", ["ssv", name, "Name", "s", "x"]),
            ("org.freedesktop.DBus.Introspectable", "Introspect", []), ("org.freedesktop.DBus.Peer", "Ping", [])]


def differences(socket, calls):
    """What is wrong with pairs of (path, interface, member, arguments) that must be answered alike."""
    for pair in calls:
        answers = [busctl(socket, path, f"{interface}:{member}", arguments)
                   for path, interface, member, arguments in pair]
        if answers[0] != answers[1] or "/credential/1\"" in answers[0]:
            yield f"{pair} are answered apart: {answers}"


def pairs_of_calls():
    for name, rule, _, arguments in methods():
        interface, member = name.split(".")
        if interface in THERE:
            yield [(ROOT + place, f"org.tessera1.{interface}", member, arguments) for place in THERE[interface]]
        if interface != "Manager" or rule in ("anyone", "holder") and member != "FinishLogin":
            continue
        for index, value in enumerate(arguments[1:], 1):
            for names in NAMES["o" if value == "/" else "s"] if value in "/x" else ():
                yield [(ROOT, "org.tessera1.Manager", member, [*arguments[:index], name, *arguments[index + 1:]])
                       for name in names]
    for interface, places in THERE.items():
        for call in standard_calls(interface):
            yield [(ROOT + place, *call) for place in places]


def nothing_is_learnt():
    """Who may not look is told the same of what is there and of what is not, by every method."""
    socket = os.environ["TESSERA_SOCKET"]
    problems = list(differences(socket, pairs_of_calls()))
    # Another challenge each time, but one for everybody: of the same length without the serial's.
    beginnings = [busctl(socket, ROOT, "Manager.BeginLogin", ["s", serial]).split() for serial in
                  ("yubikey-19999999", "yubikey-99999999")]
    if any(len(words) < 40 or words[:2] != beginnings[0][:2] for words in beginnings):
        problems.append(f"challenges tell cards apart: {beginnings}")
    tree = busctl(socket, f"{ROOT}/credential", "org.freedesktop.DBus.Introspectable:Introspect", [])
    return problems + ([f"the tree shows cards: {tree}"] if 'node name=' in tree else [])


def main():
    os.chdir(TEMPORARY)
    if len(sys.argv) > 1:
        problems = walk(os.environ["TESSERA_SESSION"], sys.argv[1], sys.argv[2].split())
        print("\n".join(problems))
        return 1 if problems else 0
    make_operator()
    # Another set than any shipped role has.
    tessera("role", "add", "odd-jobs", "--permissions", "view-settings,unblock,manage-operators,bulk-revoke")
    problems = walk(os.environ["TESSERA_SOCKET"], "nobody", []) + nothing_is_learnt()
    roles = json.loads(tessera("--json", "role", "list"))
    for role in roles:
        if role["name"] in ("system-owner", "self"):
            continue
        tessera("operator", "set", "reader:1", "--roles", role["name"])
        problems += walk_as_operator(role["name"], role["permissions"].split())
    # A holder who is no operator has logged in, and may nothing.
    tessera("operator", "remove", "reader:1")
    problems += walk_as_operator("self", [])
    problems = [problem for problem in problems if problem]
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems or len(roles) < 9 else 0


if __name__ == "__main__":
    sys.exit(main())
