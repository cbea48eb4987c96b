#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Opens a page in a headless Firefox of its own, types a PIN where Firefox asks for one, and prints what is shown.

    firefox.py PROFILE URL PIN TEXT     until the page has TEXT, or for a hundred seconds

What the PIN's dialog said is the first line. Firefox is driven by Marionette, which it has built in.
"""

import json
import os
import socket
import subprocess
import sys
import time

PORT = 2828
PATIENCE = 100  # seconds
PREFERENCES = {
    "marionette.port": PORT,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
}
# The dialog is modal, and no command is answered while it is open; so it is answered from inside.
TYPE_PIN = """
    const [uri, pin] = arguments;
    Services.obs.addObserver(function (subject) {
        const dialog = subject.Dialog;
        Services.prefs.setStringPref("test.dialog", dialog.args.text);
        dialog.ui.password1Textbox.value = pin;
        dialog.ui.button0.click();
    }, "common-dialog-loaded");
    const triggeringPrincipal = Services.scriptSecurityManager.getSystemPrincipal();
    setTimeout(() => gBrowser.fixupAndLoadURIString(uri, {triggeringPrincipal}), 0);
"""
TOLD = 'return Services.prefs.getStringPref("test.dialog", "no dialog")'


class Marionette:
    def __init__(self, connection):
        self.connection = connection
        self.stream = connection.makefile("rb")
        self.number = 0
        self.read()  # the greeting

    def read(self):
        length = b""
        while not length.endswith(b":"):
            byte = self.stream.read(1)
            if not byte:
                sys.exit("Firefox ended")
            length += byte
        return json.loads(self.stream.read(int(length[:-1])))

    def answer(self, command, **parameters):
        """(error, result)"""
        self.number += 1
        message = json.dumps([0, self.number, command, parameters]).encode()
        self.connection.sendall(b"%d:%s" % (len(message), message))
        return self.read()[2:]

    def call(self, command, **parameters):
        error, result = self.answer(command, **parameters)
        if error:
            sys.exit(f"Firefox, {command}: {error['error']}: {error['message']}")
        return result.get("value")

    def script(self, text, *arguments):
        self.call("Marionette:SetContext", value="chrome")
        result = self.call("WebDriver:ExecuteScript", script=text, args=arguments)
        self.call("Marionette:SetContext", value="content")
        return result


def connect(end):
    while time.monotonic() < end:
        try:
            return socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE)
        except ConnectionRefusedError:
            time.sleep(0.1)
    sys.exit("Firefox does not answer")


def read_page(uri, pin, text):
    end = time.monotonic() + PATIENCE
    firefox = Marionette(connect(end))
    firefox.call("WebDriver:NewSession", pageLoadStrategy="none", unhandledPromptBehavior="ignore")
    firefox.script(TYPE_PIN, uri, pin)
    page = ""
    while text not in page and time.monotonic() < end:
        time.sleep(0.1)
        error, result = firefox.answer("WebDriver:GetPageSource")
        page = page if error else result["value"]  # no window while one page takes another's place
    print(firefox.script(TOLD))
    print(page)


def main():
    profile, uri, pin, text = sys.argv[1:]
    os.makedirs(profile)
    with open(os.path.join(profile, "user.js"), "w", encoding="utf-8") as file:
        for name, value in PREFERENCES.items():
            file.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
    command = ["firefox-esr", "--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]
    with subprocess.Popen(command + ["--profile", profile], stdout=sys.stderr) as process:
        try:
            read_page(uri, pin, text)
        finally:
            process.terminate()


main()
