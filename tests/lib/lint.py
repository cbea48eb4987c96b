# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the programs in tests/lint share: the list of sources, and results as TAP."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# Made by tools, or no sources of ours.
SKIPPED = {".git", ".libs", ".deps", "autom4te.cache", "build", "build-aux", "m4"}
# Made by autotools at the top.
GENERATED = {"configure", "configure~", "config.status", "config.log", "libtool", "aclocal.m4",
             "Makefile", "Makefile.in", "install-sh"}


def all_files():
    """Every file of the source tree that somebody wrote."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(f for f in folders
                            if f not in SKIPPED and not (Path(folder) / f / "config.status").exists())
        for name in sorted(files):
            path = Path(folder) / name
            if Path(folder) == ROOT and name in GENERATED or path.is_symlink():
                continue
            yield path


def c_sources():
    return [path for path in all_files() if path.suffix in (".c", ".h")]


def first_line(path):
    with open(path, "rb") as file:
        return file.readline(200).decode("utf-8", "replace")


def shell_scripts():
    return [path for path in all_files()
            if path.suffix == ".sh" or first_line(path).startswith(("#!/usr/bin/env bash", "#!/bin/sh"))]


def python_scripts():
    return [path for path in all_files()
            if path.suffix == ".py" or first_line(path).startswith("#!/usr/bin/env python3")]


def relative(path):
    return path.relative_to(ROOT)


class Lint:
    """Collects results; each is a sentence and the list of what contradicts it."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def result(self, sentence, problems):
        self.count += 1
        self.failed += 1 if problems else 0
        print(f"{'not ok' if problems else 'ok'} {self.count} - {sentence}")
        for problem in problems:
            print(f"#   {problem}")

    def end(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0
