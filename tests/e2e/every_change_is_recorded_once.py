#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# each method that changes something leaves exactly one audit record, signed by the operator, also when it fails or is refused
# time limit: 600
"""Walks the methods of dbus/*.xml by the tables below; a method that is in none of them fails."""

import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

SOURCE = Path(os.environ["TESSERA_SOURCE"])
ROOT = "/org/tessera1"
CARD = f"{ROOT}/credential/2"  # the first one is the owner's
PIN, NEW_PIN = "271828", "314159"
HOLDER = ["a{ss}", "3", "name", "Ada Lovelace", "email", "ada@example.org", "upn", "ada@example.org"]
problems = []

# Methods that only look, or whose change is told by the record of another one.
READS = {
    "Connection.ListProfiles", "Connection.GetFields", "Connection.Search", "Connection.GetPerson", "Connection.FindPerson",
    "Manager.ListTasks", "Manager.ListExpiring", "Manager.ListPeople", "Connection.GetCertificate", "Connection.GetCrl",
    "Credential.GetCertificate",
    "Manager.ListCredentials", "Manager.FindCredential", "Manager.FindCredentials",
    "Manager.ListAudit", "Manager.VerifyAudit", "Manager.ListCheckpoints",
    "Manager.ListLogins", "Manager.ListOperators", "Manager.ListRoles", "Manager.ListPermissions", "Manager.ListQuorums",
    "Manager.BeginLogin",
    "SelfService.Forget", "SelfService.ListCards", "SelfService.ListTemplates", "SelfService.ListCodes",
    "Manager.ListDrift", "Template.ListVersions", "Template.GetVersion", "Template.Compare",
    "Template.Plan", "Template.ListCards", "Template.Check",
    "Manager.ListMasterKeys", "Manager.ListCardsOfMasterKey", "Manager.ListExposed",
    "Manager.LookAtMasterKeyBackup", "Manager.GetLastMasterKeyBackup",
    "Reader.GetInformation", "Reader.DetectType", "Reader.IsMine",
    # What is done with the cards is recorded.
    "ReaderAgent.InsertCard", "ReaderAgent.RemoveCard", "ReaderAgent.WithdrawReader", "Licence.MakeRequest", "Job.TakePin",
    "Job.GetSignatureRequest",
    "Provider.GetTokens", "Provider.GetObjects", "Provider.Logout", "Provider.UseKey",
    "Provider.GetMechanisms", "Provider.VerifyWithKey", "Provider.GetRandom", "Provider.SeedRandom",
    "Provider.OpenChannel", "Provider.BeginUse", "Provider.ContinueUse", "Provider.EndUse", "Provider.CancelUse",
    "Slot.GetKeys",
}
# A checkpoint is its own record.
CHECKPOINT = {"Manager.WriteCheckpoint"}
# Whoever knows the PIN may call these: there is nobody to refuse.
HOLDERS = {"SelfService.Authenticate", "ReaderAgent.OfferReader", "Manager.Login", "Manager.FinishLogin", "Manager.Logout", "Credential.ChangePin",
           "Credential.UnblockWithCode", "Provider.Login", "Provider.ChangePin", "Provider.ChangeOfficerPin",
           "Provider.CheckUnblockCode", "Provider.InitPin",
           # Of who started the job alone; e2e/ms_cs_agent_on_card looks at their records.
           "Job.GiveSignature", "Job.RefuseSignature",
           # Of a slot, whose rules decide.
           "Provider.CreateObject", "Provider.CopyObject", "Provider.SetAttributes",
           "Provider.DestroyObject", "Provider.GenerateKey", "Provider.GenerateKeyPair",
           "Provider.WrapKey", "Provider.UnwrapKey", "Provider.DeriveKey", "Provider.GetSecretValue",
           "Provider.InitToken"}


def attributes(*wanted):
    """The arguments of an a(uay): (type, value) each."""
    result = [str(len(wanted))]
    for kind, value in wanted:
        data = bytes([value]) if isinstance(value, bool) else \
            value.to_bytes(8, sys.byteorder) if isinstance(value, int) else value
        result += [str(kind), str(len(data)), *(str(byte) for byte in data)]
    return result


def key(label):
    """An AES key that stays, and that programs without a login may use."""
    return attributes((0, 4), (0x100, 0x1F), (1, True), (2, False), (3, label), (0x11, bytes(16)), (0x103, False),
                      (0x162, True), (0x106, True), (0x107, True), (0x10C, True))


def pin_bytes(pin):
    return [str(len(pin)), *(str(byte) for byte in pin.encode())]


def read_template():
    document = json.loads((SOURCE / "data/templates/ec.json").read_text())
    return document, json.dumps(dict(document, name="other"))


def read_connection():
    document = json.loads((SOURCE / "data/connections/local.json").read_text())
    return json.dumps(dict(document, name="another"))


def read_type():
    document = json.loads((SOURCE / "data/types/gids.json").read_text())
    return json.dumps(dict(document, name="our-card"))


TYPE = read_type()
TEMPLATE, OTHER_TEMPLATE = read_template()
VISITORS = json.dumps({"name": "visitors", "card-type": "piv", "issue": {"by": "user", "authentication": ["code"]},
                       "keys": [{"slot": "authentication", "algorithm": "ec-p256",
                                 "certificate": {"authority": "local", "profile": "smartcard-logon",
                                                 "subject": [["CN", "{name}"]]}}]})
CONNECTION = read_connection()
REMOTE = json.dumps({"name": "remote", "kind": "digicert-one", "url": "https://localhost:1"})

# What is done, in an order in which each step finds what it needs: method, path, arguments, the
# operation that is recorded, and its outcome. "ok" or the error's short name.
STEPS = [
    ("Manager.AddTemplate", ROOT, ["s", VISITORS], "add-template", "ok"),
    ("SelfService.AddCode", ROOT, ["sosa{ss}a{sv}", "issue", "/", "visitors", "0", "0"], "add-code", "InvalidArgument"),
    ("SelfService.AddCode", ROOT, ["sosa{ss}a{sv}", "issue", "/", "ec", "0", "0"], "add-code", "NotSupported"),
    ("SelfService.AddCode", ROOT, ["sosa{ss}a{sv}", "issue", "/", "visitors", "1", "name", "Ada", "0"], "add-code", "ok"),
    ("SelfService.RemoveCode", ROOT, ["s", "K7M2"], "remove-code", "NotFound"),
    ("SelfService.LiftLockOut", ROOT, ["ss", "user", "nobody at all"], "lift-lock-out", "NotFound"),
    ("SelfService.LiftLockOut", ROOT, ["ss", "user", "ada"], "lift-lock-out", "ok"),
    ("SelfService.Authenticate", ROOT, ["sa{sv}", "code", "1", "code", "s", "x"], "self-authenticate", "AccessDenied"),
    ("Template.Remove", f"{ROOT}/template/visitors", [], "remove-template", "ok"),
    ("Manager.AddTemplate", ROOT, ["s", "{}"], "add-template", "InvalidTemplate"),
    ("Manager.AddTemplate", ROOT, ["s", OTHER_TEMPLATE], "add-template", "ok"),
    ("Template.Update", f"{ROOT}/template/other", ["s", "{}"], "update-template", "InvalidTemplate"),
    ("Template.Update", f"{ROOT}/template/nothing", ["s", "{}"], "update-template", "NotFound"),
    ("Template.Update", f"{ROOT}/template/other", ["s", OTHER_TEMPLATE], "update-template", "ok"),
    ("Template.Lock", f"{ROOT}/template/other", [], "lock-template", "ok"),
    ("Template.Unlock", f"{ROOT}/template/other", [], "unlock-template", "ok"),
    ("Template.Lock", f"{ROOT}/template/nothing", [], "lock-template", "NotFound"),
    ("Manager.ImportTemplates", ROOT, ["sa{sv}", "{}", "0"], "import-templates", "InvalidTemplate"),
    ("Template.Remove", f"{ROOT}/template/other", [], "remove-template", "ok"),
    ("Template.Remove", f"{ROOT}/template/other", [], "remove-template", "NotFound"),
    ("Manager.AddConnection", ROOT, ["s", "{}"], "add-connection", "InvalidConnection"),
    ("Manager.AddConnection", ROOT, ["s", CONNECTION], "add-connection", "ok"),
    ("Connection.Update", f"{ROOT}/connection/another", ["s", "{}"], "update-connection",
     "InvalidConnection"),
    ("Connection.Update", f"{ROOT}/connection/another", ["s", CONNECTION], "update-connection", "ok"),
    ("Connection.Test", f"{ROOT}/connection/another", [], "test-connection", "ok"),
    ("Connection.Test", f"{ROOT}/connection/nothing", [], "test-connection", "NotFound"),
    ("Connection.UpdateProfiles", f"{ROOT}/connection/another", [], "update-profiles-connection", "ok"),
    ("Connection.UpdateProfiles", f"{ROOT}/connection/nothing", [], "update-profiles-connection", "NotFound"),
    ("Connection.SetSecret", f"{ROOT}/connection/another", ["ss", "api-key", "7"], "set-secret-connection",
     "InvalidArgument"),
    ("Manager.AddConnection", ROOT, ["s", REMOTE], "add-connection", "ok"),
    ("Connection.SetSecret", f"{ROOT}/connection/remote", ["ss", "api-key", "7"], "set-secret-connection", "ok"),
    ("Connection.ForgetSecret", f"{ROOT}/connection/remote", ["s", "api-key"], "forget-secret-connection", "ok"),
    ("Connection.ForgetSecret", f"{ROOT}/connection/remote", ["s", "api-key"], "forget-secret-connection",
     "NotFound"),
    ("Connection.Remove", f"{ROOT}/connection/remote", [], "remove-connection", "ok"),
    ("Manager.CheckPeople", ROOT, ["a{sv}", "1", "connection", "s", "staff"], "check-people", "NotFound"),
    ("Manager.CheckPeople", ROOT, ["a{sv}", "0"], "check-people", "ok"),
    ("Manager.RunTask", ROOT, ["x", "7"], "run-task", "NotFound"),
    ("Manager.RemoveTask", ROOT, ["xs", "7", "over"], "remove-task", "NotFound"),
    ("Manager.ConfirmTask", ROOT, ["x", "7"], "confirm-task", "NotFound"),
    ("Connection.Remove", f"{ROOT}/connection/another", [], "remove-connection", "ok"),
    ("Connection.Remove", f"{ROOT}/connection/local", [], "remove-connection", "InUse"),
    ("Manager.AddType", ROOT, ["s", "{}"], "add-type", "InvalidType"),
    ("Manager.AddType", ROOT, ["s", TYPE], "add-type", "ok"),
    ("Type.Remove", f"{ROOT}/type/our_2dcard", [], "remove-type", "ok"),
    ("Type.Remove", f"{ROOT}/type/our_2dcard", [], "remove-type", "NotFound"),
    ("Manager.AddSlot", ROOT, ["sssa{sv}", "web", "", "web", "0"], "add-slot", "NotFound"),
    ("Manager.AddSlot", ROOT, ["sssa{sv}", "web", "", "web", "2", "create", "b", "true", "pin", "s", PIN],
     "add-slot", "ok"),
    ("Slot.Test", f"{ROOT}/slot/web", [], "test-slot", "ok"),
    ("Slot.Test", f"{ROOT}/slot/nothing", [], "test-slot", "NotFound"),
    ("Slot.Allow", f"{ROOT}/slot/web", ["ssas", "user:ada", "*", "1", "dance"], "allow-slot",
     "InvalidArgument"),
    ("Slot.Allow", f"{ROOT}/slot/web", ["ssas", "user:ada", "*", "1", "sign"], "allow-slot", "ok"),
    ("Slot.Deny", f"{ROOT}/slot/web", ["ssas", "user:ada", "*", "1", "sign"], "deny-slot", "ok"),
    ("Provider.CreateObject", ROOT, ["ua(uay)", "65536", *key(b"aes")], "create-object", "ok"),
    ("Provider.CreateObject", ROOT, ["ua(uay)", "65536", *key(b"tessera ca")], "create-object",
     "AccessDenied"),
    ("Provider.CreateObject", ROOT, ["ua(uay)", "65536", *attributes((1, True), (0, 77))], "create-object",
     "PinRequired"),
    ("Provider.CopyObject", ROOT, ["uua(uay)", "65536", "1", *attributes((3, b"copy"))], "copy-object", "ok"),
    ("Provider.SetAttributes", ROOT, ["uua(uay)", "65536", "2", *attributes((3, b"other"))],
     "change-object", "ok"),
    ("Provider.SetAttributes", ROOT, ["uua(uay)", "65536", "2", *attributes((1, False))],
     "change-object", "TokenRefused"),
    ("Provider.DestroyObject", ROOT, ["uu", "65536", "2"], "destroy-object", "ok"),
    ("Provider.DestroyObject", ROOT, ["uu", "65536", "2"], "destroy-object", "NotFound"),
    ("Provider.GenerateKey", ROOT, ["uuaya(uay)", "65536", "0x1080", "0", *attributes((1, True), (2, False), (0x161, 16))],
     "generate-key", "ok"),
    ("Provider.GenerateKeyPair", ROOT,
     ["uuaya(uay)a(uay)", "65536", "0x1040", "0", *attributes((0x180, bytes.fromhex("06082a8648ce3d030107"))),
      *attributes((1, True), (2, False))], "generate-key-pair", "ok"),
    ("Provider.WrapKey", ROOT, ["uuuayu", "65536", "1", "0x2109", "0", "1"], "wrap-key", "ok"),
    ("Provider.UnwrapKey", ROOT, ["uuuayaya(uay)", "65536", "1", "0x2109", "0", "0",
                                  *attributes((0, 4), (0x100, 0x1F), (1, True), (2, False))], "unwrap-key",
     "TokenRefused"),
    ("Provider.DeriveKey", ROOT, ["uuuayaya(uay)", "65536", "1", "0x1104", "0", "16", *["1"] * 16,
                                  *attributes((0, 4), (0x100, 0x1F), (1, True), (2, False), (0x161, 16))],
     "derive-key", "ok"),
    ("Provider.GetSecretValue", ROOT, ["uu", "65536", "1"], "read-key", "ok"),
    ("Provider.CheckUnblockCode", ROOT, ["uay", "65536", *pin_bytes("000000")], "check-so-pin", "PinWrong"),
    ("Provider.InitPin", ROOT, ["uayay", "65536", *pin_bytes("000000"), *pin_bytes(PIN)], "init-pin",
     "PinWrong"),
    ("Provider.ChangePin", ROOT, ["uayay", "65536", *pin_bytes(PIN), *pin_bytes(PIN)], "change-pin", "ok"),
    ("Provider.ChangeOfficerPin", ROOT, ["uayay", "65536", *pin_bytes("000000"), *pin_bytes(PIN)],
     "change-officer-pin", "PinWrong"),
    ("Provider.ChangeOfficerPin", ROOT, ["uayay", "1", *pin_bytes("000000"), *pin_bytes(PIN)],
     "change-officer-pin", "NotSupported"),
    ("Provider.InitToken", ROOT, ["uays", "65536", *pin_bytes("000000"), "web"], "init-token", "PinWrong"),
    ("Slot.Change", f"{ROOT}/slot/web", ["a{sv}", "1", "process", "s", "nowhere"], "change-slot",
     "InvalidArgument"),
    ("Slot.Change", f"{ROOT}/slot/web", ["a{sv}", "1", "timeout", "x", "30"], "change-slot", "ok"),
    ("Slot.Change", f"{ROOT}/slot/nothing", ["a{sv}", "1", "timeout", "x", "30"], "change-slot", "NotFound"),
    ("Slot.Remove", f"{ROOT}/slot/web", [], "remove-slot", "ok"),
    ("Slot.Remove", f"{ROOT}/slot/web", [], "remove-slot", "NotFound"),
    ("Licence.Activate", f"{ROOT}/licence", ["s", "code"], "activate-licence", None),
    ("Licence.Install", f"{ROOT}/licence", ["s", "{}"], "install-licence", None),
    ("Licence.Remove", f"{ROOT}/licence", [], "remove-licence", None),
    ("Manager.AddSystemOwner", ROOT, ["osa{sv}", f"{ROOT}/reader/9", PIN, "0"], "add-system-owner",
     "NotFound"),
    ("Manager.SetOperator", ROOT, ["oasbb", f"{ROOT}/credential/1", "1", "auditor", "true", "false"],
     "set-operator", "AccessDenied"),
    ("Manager.AddRole", ROOT, ["ssas", "Night", "", "1", "issue"], "add-role", "InvalidArgument"),
    ("Manager.AddRole", ROOT, ["ssas", "night", "", "2", "issue", "recover-keys"], "add-role",
     "AccessDenied"),
    ("Manager.AddRole", ROOT, ["ssas", "night", "", "1", "issue"], "add-role", "ok"),
    ("Manager.ChangeRole", ROOT, ["ssas", "day", "", "1", "issue"], "change-role", "NotFound"),
    ("Manager.ChangeRole", ROOT, ["ssas", "auditor", "", "1", "issue"], "change-role", "AccessDenied"),
    ("Manager.ChangeRole", ROOT, ["ssas", "night", "", "1", "unblock"], "change-role", "ok"),
    ("Manager.RemoveRole", ROOT, ["s", "night"], "remove-role", "ok"),
    ("Manager.RemoveRole", ROOT, ["s", "night"], "remove-role", "NotFound"),
    ("Manager.SetQuorum", ROOT, ["su", "issue", "1"], "set-quorum", "InvalidArgument"),
    ("Manager.SetQuorum", ROOT, ["su", "bulk-revoke", "2"], "set-quorum", "InvalidArgument"),
    ("Manager.SetQuorum", ROOT, ["su", "bulk-revoke", "1"], "set-quorum", "ok"),
    ("Manager.RemoveOperator", ROOT, ["o", f"{ROOT}/credential/9"], "remove-operator", "NotFound"),
    ("Manager.Register", ROOT, ["o", f"{ROOT}/reader/9"], "register", "NotFound"),
    ("Manager.Register", ROOT, ["o", f"{ROOT}/reader/1"], "register", "ok"),
    ("Manager.Register", ROOT, ["o", f"{ROOT}/reader/1"], "register", "WrongState"),
    ("Manager.Issue", ROOT, ["osa{ss}a{sv}", f"{ROOT}/reader/9", "ec", "0", "0"], "issue", "NotFound"),
    ("Manager.Issue", ROOT, ["osa{ss}a{sv}", f"{ROOT}/reader/1", "ec", "1", "na me", "x", "0"], "issue",
     "InvalidArgument"),
    ("Manager.Issue", ROOT, ["osa{ss}a{sv}", f"{ROOT}/reader/1", "no-such", "0", "0"], "issue",
     "NotFound"),
    ("Provider.Login", ROOT, ["uay", "1", *pin_bytes(PIN)], "login", "WrongState"),
    ("Manager.Issue", ROOT, ["osa{ss}a{sv}", f"{ROOT}/reader/1", "ec", *HOLDER[1:], "0"], "issue", "ok"),
    ("Credential.Activate", CARD, ["s", "1"], "activate", "PinLength"),
    ("Credential.Activate", CARD, ["s", PIN], "activate", "ok"),
    ("Credential.ChangePin", CARD, ["ss", NEW_PIN, PIN], "change-pin", "PinWrong"),
    ("Credential.ChangePin", CARD, ["ss", PIN, NEW_PIN], "change-pin", "ok"),
    ("Credential.Unblock", CARD, ["s", "1"], "unblock", "PinLength"),
    ("Credential.Unblock", CARD, ["s", PIN], "unblock", "ok"),
    ("Manager.Login", ROOT, ["osa{sv}", f"{ROOT}/reader/9", PIN, "0"], "login", "NotFound"),
    ("Manager.Login", ROOT, ["osa{sv}", f"{ROOT}/reader/1", NEW_PIN, "0"], "operator-login", "PinWrong"),
    ("Manager.Login", ROOT, ["osa{sv}", f"{ROOT}/reader/1", PIN, "0"], "operator-login", "ok"),
    ("Manager.FinishLogin", ROOT, ["say", "nothing", "0"], "operator-login", "AccessDenied"),
    ("Provider.Login", ROOT, ["uay", "1", *pin_bytes(PIN)], "login", "ok"),
    ("Provider.Login", ROOT, ["uay", "1", *pin_bytes(NEW_PIN)], "login", "PinWrong"),
    ("Provider.ChangePin", ROOT, ["uayay", "1", *pin_bytes(NEW_PIN), *pin_bytes(PIN)], "change-pin",
     "PinWrong"),
    ("Provider.ChangePin", ROOT, ["uayay", "7", *pin_bytes(PIN), *pin_bytes(NEW_PIN)], "change-pin",
     "NotFound"),
    ("Provider.ChangePin", ROOT, ["uayay", "1", *pin_bytes(PIN), *pin_bytes(NEW_PIN)], "change-pin",
     "ok"),
    ("Credential.UnblockWithCode", CARD, ["ss", "0787743694", PIN], "unblock", "CodeExpired"),
    ("Provider.CheckUnblockCode", ROOT, ["uay", "1", *pin_bytes("0787743694")], "unblock", "CodeExpired"),
    ("Provider.InitPin", ROOT, ["uayay", "1", *pin_bytes("0787743694"), *pin_bytes(PIN)], "unblock",
     "CodeExpired"),
    ("Credential.OfflineUnblock", CARD, [], "offline-unblock", "ok"),
    ("Credential.OfflineUnblock", f"{ROOT}/credential/99", [], "offline-unblock", "NotFound"),
    ("Credential.Rotate", CARD, [], "rotate", "ok"),
    ("Manager.RotateMasterKey", ROOT, [], "rotate-master-key", "ok"),
    ("Manager.BackUpMasterKey", ROOT, ["asu", "0", "9"], "back-up-master-key", "InvalidArgument"),
    ("Manager.BackUpMasterKey", ROOT, ["asu", "1", "nobody", "1"], "back-up-master-key", "NotFound"),
    ("Manager.BackUpMasterKey", ROOT, ["asu", "0", "1"], "back-up-master-key", "ok"),
    ("Manager.BeginMasterKeyRestore", ROOT, ["s", "{}"], "begin-master-key-restore", "Exists"),
    ("Manager.OpenMasterKeyShare", ROOT, ["os", f"{ROOT}/reader/1", PIN], "open-master-key-share",
     "WrongState"),
    ("Manager.FinishMasterKeyRestore", ROOT, [], "finish-master-key-restore", "WrongState"),
    ("Credential.Update", CARD, ["a{sv}", "0"], "update", "ok"),
    ("Credential.Reissue", CARD, ["sa{ss}", "no-such", "0"], "reissue", "NotFound"),
    ("Credential.Reissue", CARD, ["sa{ss}", "", "0"], "reissue", "ok"),
    ("Credential.Activate", CARD, ["s", PIN], "activate", "ok"),
    ("Credential.Renew", CARD, ["sa{sv}", PIN, "1", "slot", "s", "nowhere"], "renew", "InvalidArgument"),
    ("Credential.Renew", CARD, ["sa{sv}", "", "0"], "renew", "PinRequired"),
    ("Credential.Renew", CARD, ["sa{sv}", PIN, "0"], "renew", "ok"),
    ("Credential.UnblockGenerated", CARD, [], "unblock", "ok"),
    ("Credential.ActivateGenerated", CARD, [], "activate", "WrongState"),
    ("Credential.Resume", CARD, [], "resume", "WrongState"),
    ("Credential.Suspend", CARD, ["s", "x" * 2000], "suspend", "InvalidArgument"),
    ("Credential.Suspend", CARD, ["s", "lost for now"], "suspend", "ok"),
    ("Credential.Resume", CARD, [], "resume", "ok"),
    ("Credential.Report", CARD, ["s", "eaten"], "report", "InvalidArgument"),
    ("Credential.Report", CARD, ["s", "lost"], "report-lost", "ok"),
    ("Credential.Resume", CARD, [], "resume", "ok"),
    ("Credential.Replace", CARD, ["oa{sv}", f"{ROOT}/reader/9", "0"], "replace", "NotFound"),
    ("Job.Cancel", f"{ROOT}/job/1", [], "cancel-job", None),
    ("Manager.RevokeMany", ROOT, ["ass", "2", CARD, "nothing", ""], "revoke-many", "NotFound"),
    ("Manager.RevokeMany", ROOT, ["ass", "1", CARD, "because"], "revoke-many", "InvalidArgument"),
    ("Manager.RevokeMany", ROOT, ["ass", "0", ""], "revoke-many", "InvalidArgument"),
    ("Manager.RevokeMany", ROOT, ["ass", "1", f"{ROOT}/credential/1", ""], "revoke-many", "AccessDenied"),
    ("Manager.RevokeMany", ROOT, ["ass", "2", CARD, CARD, "superseded"], "revoke", "ok"),
    ("Credential.ReissueKeepingFields", CARD, ["s", ""], "reissue", "ok"),
    ("Credential.Revoke", CARD, ["s", "because"], "revoke", "InvalidArgument"),
    ("Credential.Revoke", CARD, ["s", ""], "revoke", "ok"),
    ("Credential.Revoke", f"{ROOT}/credential/99", ["s", ""], "revoke", "NotFound"),
    ("Credential.Retire", CARD, ["s", "because"], "retire", "ok"),
    ("Credential.Retire", CARD, ["s", ""], "retire", "WrongState"),
    ("Credential.Unregister", CARD, [], "unregister", "ok"),
    ("Credential.Unregister", CARD, [], "unregister", "WrongState"),
    ("Manager.AddSlot", ROOT, ["sssa{sv}", "web", "", "web", "2", "create", "b", "true", "pin", "s", PIN],
     "add-slot", "ok"),
    ("Slot.Enroll", f"{ROOT}/slot/web", ["ssa{ss}a{sv}", "tls", "nothing", "0", "1", "pin", "s", PIN],
     "enroll", "NotFound"),
    ("Slot.Enroll", f"{ROOT}/slot/web", ["ssa{ss}a{sv}", "tls", "tls-server", "1", "dns", "www.example.org",
                                         "1", "pin", "s", PIN], "enroll", "ok"),
    ("Slot.Renew", f"{ROOT}/slot/web", ["sa{sv}", "none", "0"], "renew", "NotFound"),
    ("Slot.Renew", f"{ROOT}/slot/web", ["sa{sv}", "tls", "0"], "renew", "PinRequired"),
    ("Slot.Renew", f"{ROOT}/slot/web", ["sa{sv}", "tls", "1", "pin", "s", PIN], "renew", "ok"),
    ("Slot.Retire", f"{ROOT}/slot/web", ["sa{sv}", "tls", "1", "pin", "s", PIN], "retire", "ok"),
    ("ReaderAgent.OfferReader", ROOT, ["ss", "desk", "Reader 1"], "offer-reader", "ok"),
    ("ReaderAgent.OfferReader", ROOT, ["ss", "a desk", "Reader 1"], "offer-reader", "InvalidArgument"),
]


def by_owner(user, arguments):
    """Whether it is done in the owner's login, which is root's alone; others log in for themselves."""
    return user == "root" and not {"org.tessera1.Provider", "Login", "FinishLogin"} & set(arguments)


def busctl(user, *arguments):
    command = ["busctl", "--no-pager", *arguments]
    if user != "root":
        command = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", *command]
    door = "TESSERA_SESSION" if by_owner(user, arguments) else "TESSERA_SOCKET"
    environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS="unix:path=" + os.environ[door])
    return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60)


def call(user, method, path, arguments):
    """Calls the method; waits for the job that it starts."""
    interface, member = method.split(".")
    result = busctl(user, "call", "org.tessera1", path, f"org.tessera1.{interface}", member, *arguments)
    job = re.search(r'"(/org/tessera1/job/\d+)"', result.stdout)
    while job and '"running"' in busctl("root", "get-property", "org.tessera1", job[1],
                                        "org.tessera1.Job", "State").stdout:
        time.sleep(0.02)
    return result


def records(after):
    output = subprocess.run(["tessera", "--json", "audit", "list", "--after", str(after)], check=True,
                            text=True, capture_output=True, timeout=60).stdout
    # The service makes its key for checkpoints when it has the time.
    return [record for record in json.loads(output) if record["operation"] != "make-audit-key"]


def last_record():
    output = subprocess.run(["tessera", "--json", "audit", "list", "--newest", "--limit", "1"],
                            check=True, text=True, capture_output=True, timeout=60).stdout
    return json.loads(output)[0]["id"]


def expect(what, before, wanted, actor, signed=False):
    """Exactly one record since before; a job ends a moment before it is seen to have ended."""
    found = records(before)
    told = [f"{record['operation']} {record['outcome']}" for record in found]
    if len(found) != 1:
        problems.append(f"{what}: {len(found)} records instead of one: {told}")
        return
    operation, outcome = wanted
    if found[0]["operation"] != operation or outcome not in (None, found[0]["outcome"]):
        problems.append(f"{what}: the record is {told[0]}, not {operation} {outcome}")
    if f" {actor}" not in f" {found[0]['actor']}":
        problems.append(f"{what}: the actor is {found[0]['actor']}")
    if (bool(found[0]["operator"]), bool(found[0]["signature"])) != (signed, signed):
        problems.append(f"{what}: the operator is {found[0]['operator']}, "
                        f"the signature {found[0]['signature']}")


def methods():
    for path in sorted((SOURCE / "dbus").glob("org.tessera1.*.xml")):
        for interface in ET.parse(path).getroot().findall("interface"):
            for method in interface.findall("method"):
                yield f"{interface.get('name').split('.')[-1]}.{method.get('name')}"


def check_steps():
    for method, path, arguments, operation, outcome in STEPS:
        before = last_record()
        result = call("root", method, path, arguments)
        what = f"{method} {outcome} ({result.stderr.strip()})"
        logged_in = by_owner("root", f"org.tessera1.{method}".rsplit(".", 1)) or (operation, outcome) == ("operator-login", "ok")
        expect(what, before, (operation, outcome), "uid=0 ", logged_in)


def check_denials():
    """A user without rights; at most 30 a minute are recorded."""
    uid = subprocess.run(["id", "-u", "ada"], check=True, text=True, capture_output=True).stdout.strip()
    seen, refused = set(), 0
    for method, path, arguments, operation, _ in STEPS:
        if method in seen or method in HOLDERS:
            continue
        seen.add(method)
        if refused % 20 == 0:
            # The service counts in minutes of this clock.
            time.sleep(61 - time.monotonic() % 60)
        refused += 1
        before = last_record()
        result = call("ada", method, path, arguments)
        if result.returncode == 0:
            problems.append(f"{method} is not refused")
        expect(f"{method} refused ({result.stderr.strip()})", before, (operation, "AccessDenied"), f"uid={uid} ")
    before = last_record()
    call("ada", "Manager.WriteCheckpoint", ROOT, [])
    expect("WriteCheckpoint refused", before, ("write-checkpoint", "AccessDenied"), f"uid={uid} ")


def check_reads():
    before = last_record()
    for method, arguments in (("ListCredentials", ["sxu", "", "0", "10"]), ("VerifyAudit", []),
                              ("FindCredential", ["s", "nothing"]),
                              ("ListAudit", ["a{ss}xu", "0", "0", "10"]), ("WriteCheckpoint", [])):
        call("root", f"Manager.{method}", ROOT, arguments)
    if records(before):
        problems.append(f"looking leaves records: {records(before)}")


def main():
    changes = {step[0] for step in STEPS}
    for method in methods():
        if method not in READS | CHECKPOINT | HOLDERS | changes:
            problems.append(f"{method} is in no table of this test: does it change something?")
    check_steps()
    for method in changes:
        # A replacement is recorded for both cards, by e2e/life_of_a_card; tasks are
        # e2e/pending_and_untold_certificates_are_not_forgotten's.
        if method not in {"Job.Cancel", "Credential.Replace", "Manager.FinishLogin", "Manager.RunTask",
                          "SelfService.RemoveCode", "SelfService.Authenticate",  # e2e/people_help_themselves has codes
                          "Manager.RemoveTask", "Manager.ConfirmTask"} and {step[4] for step in STEPS if step[0] == method} < {"ok"}:
            problems.append(f"{method} has no step that succeeds")
    check_denials()
    check_reads()
    subprocess.run(["tessera", "audit", "verify"], check=True, timeout=60, stdout=subprocess.DEVNULL)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
