#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# what the daemon serves on both doors is what dbus/*.xml says, and each method has a busctl line
"""Compares the interfaces of dbus/org.tessera1.*.xml with introspection data, member by member."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

SOURCE = Path(os.environ["TESSERA_SOURCE"])
ROOT = "/org/tessera1"
ON_THE_SOCKET_ALONE = {"org.tessera1.Provider", "org.tessera1.ReaderAgent"}
HIDDEN = {f"{ROOT}/{kind}" for kind in ("credential", "job", "template", "connection", "type", "slot")}
problems = []


def describe(interface):
    """The interface as a set of lines that do not depend on the order of members."""
    lines = set()
    for member in interface:
        if member.tag not in ("method", "signal", "property"):
            continue
        arguments = [
            (a.get("name"), a.get("type"), a.get("direction", "in") if member.tag == "method" else "")
            for a in member.findall("arg")
        ]
        lines.add((member.tag, member.get("name"), member.get("type"), member.get("access"),
                   str(arguments)))
    return lines


def written_contract():
    """Interfaces of the XML files by name; notes methods without a busctl line."""
    contract = {}
    for path in sorted((SOURCE / "dbus").glob("org.tessera1.*.xml")):
        parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
        for interface in ET.parse(path, parser).getroot().findall("interface"):
            contract[interface.get("name")] = describe(interface)
            comment = ""
            for node in interface:
                if node.tag is ET.Comment:
                    comment = node.text
                elif node.tag == "method":
                    call = f'{interface.get("name")} {node.get("name")}'
                    if "busctl" not in comment or call not in comment:
                        problems.append(f"{path.name}: {node.get('name')} has no busctl line")
                    comment = ""
                else:
                    comment = ""
    return contract


def busctl(door, *arguments):
    environment = dict(os.environ)
    if door == "private":
        environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=" + os.environ["TESSERA_SOCKET"]
    return subprocess.run(["busctl", "--no-pager", *arguments], env=environment, text=True,
                          capture_output=True, check=True, timeout=60).stdout


def introspect(door, path):
    return ET.fromstring(busctl(door, "introspect", "--xml-interface", "org.tessera1", path))


def served_contract(door):
    """Our interfaces of all objects by name, and of one object of each kind."""
    served = {}
    waiting = [ROOT]
    while waiting:
        path = waiting.pop()
        node = introspect(door, path)
        for interface in node.findall("interface"):
            name = interface.get("name")
            if not name.startswith("org.tessera1."):
                continue
            description = describe(interface)
            if served.setdefault(name, description) != description:
                problems.append(f"{door}: {name} is not the same everywhere")
        children = [child.get("name") for child in node.findall("node")]
        # Who has not logged in is told how objects of a kind are, but not which there are.
        if path in HIDDEN and not children:
            children = ["any"]
        waiting += [f"{path}/{name}" for name in children]
    return served


def issue_a_card():
    """Makes a job and a credential, so that an object of each kind is there."""
    subprocess.run(["tessera", "card", "issue", "--reader", "1", "--template", "ec",
                    "--holder", "name=Ada Lovelace", "--holder", "email=ada@example.org",
                    "--holder", "upn=ada@example.org"], check=True, timeout=120,
                   stdout=subprocess.DEVNULL)


def compare(door, contract, served):
    for name in sorted(set(contract) | set(served)):
        for line in sorted(contract.get(name, set()) ^ served.get(name, set()), key=str):
            where = "only in the XML" if line in contract.get(name, set()) else "only served"
            problems.append(f"{door}: {name}: {where}: {line}")


def main():
    issue_a_card()
    contract = written_contract()
    compare("private", contract, served_contract("private"))
    on_the_bus = {name: lines for name, lines in contract.items() if name not in ON_THE_SOCKET_ALONE}
    compare("system", on_the_bus, served_contract("system"))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems or len(contract) < 7 else 0


if __name__ == "__main__":
    sys.exit(main())
