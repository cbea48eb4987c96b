# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the methods of tests/servers/digicert-one do: state of the account, checks, answers."""

import base64
import contextlib
import json
import urllib.parse
import uuid
from datetime import datetime, timedelta

from digicert_one_ca import Authority, CsrError, PROFILES, SAN_KEYS, SUBJECT_KEYS
from stand_in import Knobs

REASONS = ("unspecified", "key_compromise", "ca_compromise", "affiliation_changed", "superseded",
           "cessation_of_operation", "certificate_hold", "remove_from_crl", "privilege_withdrawn",
           "aa_compromise")
HELLO = {"old": "Hello from DigiCert ONE - Enterprise PKI Manager REST API!",
         "new": "Hello from DigiCert ONE - Trust Lifecycle Manager REST API!\n",
         "quoted": '"Hello from DigiCert ONE - Trust Lifecycle Manager REST API!"'}
SEAT_TYPES = ("USER_SEAT", "DEVICE_SEAT", "SERVER_SEAT")



class Refusal(Exception):
    """An error that the API answers with."""

    def __init__(self, status, code, message, field=None, headers=None):
        super().__init__(message)
        self.status, self.code, self.message, self.field = status, code, message, field
        self.headers = headers or {}


class State(Knobs):
    """What the account has, and how the service behaves."""

    def __init__(self, options):
        super().__init__(("issued", "renewed", "revoked", "suspended", "resumed", "enroll-posts", "key-seen",
                          "lists", "questions", "issuers", "asked", "asking", "asking-most", "answer-us"))
        self.key = options.key
        self.authority = Authority(options.ca_out)
        self.certificates = []
        self.seats = {}
        self.pending = {}

    def control(self, request):
        with self.lock:
            if "forget-seats" in request:
                self.seats.clear()
            if "expire" in request:  # moves the end of all certificates to so many days from now
                for certificate in self.certificates:
                    certificate["not_after"] = datetime.utcnow() + timedelta(days=request["expire"])
            if "certificates" in request:
                return [{"serial": c["serial"], "status": c["status"], "reason": c.get("reason"), "seat": c["seat"],
                         "profile": c["profile"]["name"], "subject": c["common_name"], "pem": c["pem"]}
                        for c in self.certificates]
            return super().control(request)

    @contextlib.contextmanager
    def asking(self):
        """A certificate is asked for meanwhile."""
        with self.lock:
            self.counts["asked"] += 1
            self.counts["asking"] += 1
            self.counts["asking-most"] = max(self.counts["asking-most"], self.counts["asking"])
        try:
            yield
        finally:
            self.count("asking", -1)

    def find(self, serial, thumbprint=None):
        matches = [c for c in self.certificates if c["serial"].lstrip("0").upper() == serial.lstrip("0").upper()]
        if not matches:
            raise Refusal(404, "resource_not_found", f"Certificate with serial number {serial} is not found")
        if thumbprint:
            matches = [c for c in matches if c["thumbprint"] == thumbprint]
            if not matches:
                raise Refusal(404, "resource_not_found", "Certificate is not found")
        elif len(matches) > 1 or self.setting("collision", False):
            raise Refusal(400, "invalid_request", "Collision occurred! Please specify additional parameter: "
                          "thumbprint_sha256")
        return matches[0]


def only(value, allowed, where):
    if not isinstance(value, dict):
        raise Refusal(400, "invalid_request", f"{where or 'body'} must be an object", where)
    for name in value:
        if name not in allowed:
            raise Refusal(400, "invalid_request", f"Unrecognized field {name}", f"{where}.{name}".strip("."))


def need(value, name, kind, where):
    found = value.get(name)
    if not isinstance(found, kind) or found in ("", [], {}):
        raise Refusal(400, "invalid_request", f"{name} is missing or invalid", f"{where}.{name}".strip("."))
    return found


class Requests:
    """The API's methods; each answers (status, object or text or None)."""

    def __init__(self, state):
        self.state = state

    # --- reading ---

    def hello(self):
        return 200, HELLO[self.state.setting("hello", "new") if self.state.setting("hello", "new") in HELLO else "new"]

    def shown_profile(self, profile):
        shown = json.loads(json.dumps(profile))
        form = self.state.setting("source", "sources")
        attributes = shown["certificate"]["subject"]["attributes"] + \
            shown["certificate"]["extensions"]["san"]["attributes"]
        for attribute in attributes:
            sources = attribute.pop("sources")
            attribute["source" if form == "source" else "sources"] = sources[0] if form == "object" else sources
        shown["certificate"]["issuer"]["certificate"] = self.state.authority.pem
        return shown

    def profiles(self, query):
        shown = [self.shown_profile(p) for p in PROFILES]
        form = self.state.setting("list", "flat")
        if form == "nested":
            return 200, [shown]
        if form != "paged":
            only(query, ("api_token_id",), "")
            return 200, shown
        only(query, ("offset", "limit", "api_token_id"), "")
        offset = int(query.get("offset", "0"))
        return 200, {"total": len(shown), "offset": offset, "limit": 2, "items": shown[offset:offset + 2]}

    def profile(self, name):
        for profile in PROFILES:
            if profile["id"] == name:
                return profile
        raise Refusal(self.state.setting("profile-error", 403), "access_denied", "No access to the profile")

    def shown_certificate(self, certificate):
        return {
            "profile": {"id": certificate["profile"]["id"], "name": certificate["profile"]["name"]},
            "seat": {"seat_id": certificate["seat"]},
            "account": {"id": "5a1e2d3c-4b5a-4968-8776-a5b4c3d2e1f0"},
            "certificate": base64.b64encode(certificate["der"]).decode(),
            "common_name": certificate["common_name"],
            "status": certificate["status"],
            "serial_number": certificate["serial"],
            "valid_from": certificate["valid_from"], "valid_to": certificate["valid_to"],
            "thumbprint": certificate["thumbprint"],
        }

    def search(self, query):
        only(query, ("account_id", "business_unit_id", "profile_id", "seat_id", "seat_type_id", "valid_from",
                     "valid_to", "serial_number", "common_name", "status", "thumbprint", "offset", "limit"), "")
        found = [c for c in self.state.certificates
                 if query.get("seat_id", c["seat"]) == c["seat"]
                 and query.get("profile_id", c["profile"]["id"]) == c["profile"]["id"]
                 and query.get("status", c["status"]).lower() == c["status"]
                 and query.get("thumbprint", c["thumbprint"]) == c["thumbprint"]
                 and query.get("common_name", c["common_name"]) == c["common_name"]]
        offset, limit = int(query.get("offset", "0")), int(query.get("limit", "20"))
        return 200, {"total": len(found), "offset": offset, "limit": limit,
                     "items": [self.shown_certificate(c) for c in found[offset:offset + limit]]}

    # --- issuing ---

    def check_attributes(self, profile, attributes):
        """What the profile wants from a request, and nothing else: the values by (part, type)."""
        only(attributes, ("subject", "extensions", "custom_values"), "attributes")
        subject = attributes.get("subject", {})
        only(subject, SUBJECT_KEYS, "attributes.subject")
        extensions = attributes.get("extensions", {})
        only(extensions, ("san",), "attributes.extensions")
        san = extensions.get("san", {})
        only(san, SAN_KEYS, "attributes.extensions.san")
        for part, given, keys, wanted in (
                ("attributes.subject", subject, SUBJECT_KEYS, profile["certificate"]["subject"]["attributes"]),
                ("attributes.extensions.san", san, SAN_KEYS,
                 profile["certificate"]["extensions"]["san"]["attributes"])):
            self.check_part(part, given, keys, wanted)
        return subject, san

    @staticmethod
    def check_part(part, given, keys, wanted):
        taken = {a["type"]: a for a in wanted if a["sources"][0]["source"] == "REST_REQUEST"}
        for key, value in given.items():
            kind, is_list = keys[key]
            if kind not in taken:
                raise Refusal(400, "invalid_request", f"Attribute {key} is not allowed by the profile",
                              f"{part}.{key}")
            if isinstance(value, list) != is_list or not value:
                raise Refusal(400, "invalid_request", f"Attribute {key} has a wrong type", f"{part}.{key}")
            if is_list and len(value) > 1 and not taken[kind]["multiple"]:
                raise Refusal(400, "invalid_request", f"Attribute {key} must not be multiple", f"{part}.{key}")
        present = {keys[key][0] for key in given}
        for kind, attribute in taken.items():
            if attribute["mandatory"] and kind not in present:
                raise Refusal(400, "mandatory_attribute_unavailable", f"Attribute {kind} is mandatory",
                              f"{part}.{kind}")

    def check_seat(self, seat):
        only(seat, ("seat_id",), "seat")
        name = need(seat, "seat_id", str, "seat")
        if name.lower() not in self.state.seats:
            if self.state.setting("seat", "auto") == "must-exist":
                raise Refusal(404, "entity_not_found", f"Could not find seat with identifier = {name} using "
                              "subject.common_name as seat id mapping")
            self.state.seats[name.lower()] = {"seat_id": name, "seat_type": "USER_SEAT"}
        return name

    def check_delivery(self, body):
        if not isinstance(body.get("include_ca_chain", False), bool):
            raise Refusal(400, "invalid_request", "include_ca_chain must be a boolean", "include_ca_chain")
        if body.get("delivery_format", "x509").lower() not in ("x509", "pkcs7"):
            raise Refusal(400, "invalid_request", "unknown delivery_format", "delivery_format")

    def days(self, profile, body):
        validity = body.get("validity")
        days = profile["certificate"]["validity"]["duration"]
        if validity is None:
            return days
        only(validity, ("unit", "duration"), "validity")
        duration = need(validity, "duration", int, "validity")
        unit = need(validity, "unit", str, "validity")
        if unit not in ("years", "months", "days", "hours", "minutes"):
            raise Refusal(400, "invalid_request", "unknown unit", "validity.unit")
        if not profile["override_cert_validity_via_api"]:
            if self.state.setting("validity", "ignore") == "refuse":
                raise Refusal(400, "invalid_request", "The profile does not allow to override the validity",
                              "validity")
            return days
        return duration * {"years": 365, "months": 30, "days": 1}.get(unit, 1)

    def usable_profile(self, name):
        profile = self.profile(name)
        if profile["status"] != "Active" or profile["enrollment_method"] != "rest_api" \
                or profile["authentication_method"] != "third_party_app":
            raise Refusal(400, "invalid_request", "The profile does not support immediate issuance", "profile.id")
        return profile

    def check_csr(self, profile, body):
        try:
            return self.state.authority.read_csr(need(body, "csr", str, ""), profile)
        except CsrError as error:
            raise Refusal(400, "invalid_request", str(error), "csr") from error

    def issue(self, body):
        self.state.count("enroll-posts")
        only(body, ("profile", "seat", "csr", "validity", "delivery_format", "include_ca_chain", "attributes",
                    "tags", "custom_attributes"), "")
        only(need(body, "profile", dict, ""), ("id",), "profile")
        profile = self.usable_profile(need(body["profile"], "id", str, "profile"))
        subject, san = self.check_attributes(profile, body.get("attributes", {}))
        self.check_delivery(body)
        days = self.days(profile, body)
        key = self.check_csr(profile, body)
        seat = self.check_seat(need(body, "seat", dict, ""))
        if not profile["duplicate_cert_policy"] and any(
                c["seat"] == seat and c["profile"] is profile and c["status"] == "issued"
                for c in self.state.certificates):
            raise Refusal(self.state.setting("duplicates-status", 400), "duplicate_error",
                          "A certificate exists already for the seat and the profile")
        record = {"profile": profile, "seat": seat, "subject": subject, "san": san, "key": key, "days": days}
        pickups = self.state.setting("pending", 0)
        if self.state.setting("pending-for", None) not in (None, *subject.values()):
            pickups = 0
        if pickups:
            name = str(uuid.uuid4())
            self.state.pending[name] = {"left": pickups, "record": record}
            return 201, {"request_id": name, "status": "PENDING"}
        return self.state.setting("status-created", 201), self.make(record, body)

    def make(self, record, body):
        certificate = self.state.authority.issue(record, self.state)
        self.state.certificates.append(certificate)
        self.state.count("issued")
        return self.delivered(certificate, body)

    def delivered(self, certificate, body):
        answer = {"serial_number": certificate["serial"], "delivery_format": "x509",
                  "certificate": certificate["pem"]}
        form = self.state.setting("pkcs7", None)
        if form:
            answer["delivery_format"] = "PKCS7"
            answer["certificate"] = self.state.authority.pkcs7(certificate, form)
        elif self.state.setting("chain", False) or body.get("include_ca_chain"):
            answer["certificate"] += self.state.authority.pem
            answer["ca_certs"] = [{"pem": self.state.authority.pem}]
        return answer

    def pick_up(self, name, body):
        only(body, ("profile",), "")
        only(need(body, "profile", dict, ""), ("id",), "profile")
        waiting = self.state.pending.get(name)
        if not waiting or waiting["record"]["profile"]["id"] != body["profile"]["id"]:
            raise Refusal(404, "entity_not_found", "There is no such request")
        if waiting.get("answer"):
            return 200, waiting["answer"]
        if self.state.setting("deny-pending", False):
            return 200, {"request_id": name, "status": "REJECTED"}
        waiting["left"] -= 1
        if waiting["left"] > 0:
            return 200, {"request_id": name, "status": "PENDING"}
        waiting["answer"] = dict(self.make(waiting["record"], {}), status="ISSUED", request_id=name)
        return 200, waiting["answer"]

    def renew(self, serial, query, body):
        self.state.count("enroll-posts")
        only(query, ("thumbprint_sha256",), "")
        only(body, ("csr", "validity", "delivery_format", "include_ca_chain"), "")
        old = self.state.find(serial, query.get("thumbprint_sha256"))
        self.check_delivery(body)
        if old["status"] != "issued":
            raise Refusal(400, "invalid_request", f"Failed to renew the specified certificate: it is {old['status']}")
        if old.get("renewed"):
            raise Refusal(400, "invalid_request", "Failed to renew the specified certificate: already renewed")
        begin = old["not_after"] - timedelta(days=old["profile"]["renewal_period_days"])
        if datetime.utcnow() < begin:
            raise Refusal(400, "invalid_request", "Failed to renew the specified certificate: renewal is not "
                          f"permitted until {begin.isoformat()}Z[UTC]")
        key = self.check_csr(old["profile"], body)
        record = dict(old["record"], key=key, days=self.days(old["profile"], body))
        answer = self.make(record, body)
        old["renewed"] = True
        self.state.count("renewed")
        return 200, answer

    # --- status ---

    def revoke(self, serial, query, body):
        only(query, ("thumbprint_sha256", "account_id"), "")
        only(body, ("revocation_reason",), "")
        reason = need(body, "revocation_reason", str, "")
        if reason not in REASONS:
            raise Refusal(400, "invalid_request", "unknown revocation_reason", "revocation_reason")
        certificate = self.state.find(serial, query.get("thumbprint_sha256"))
        if certificate["status"] == "revoked":
            raise Refusal(400, "invalid_request", "Certificate already has been revoked")
        held = reason == "certificate_hold"
        certificate["status"] = "suspended" if held else "revoked"
        certificate["reason"] = reason
        self.state.count("suspended" if held else "revoked")
        return 204, None

    def resume(self, serial, query):
        only(query, ("thumbprint_sha256", "account_id"), "")
        certificate = self.state.find(serial, query.get("thumbprint_sha256"))
        if certificate["status"] != "suspended":
            raise Refusal(400, "invalid_request", "Certificate is not suspended")
        certificate["status"] = "issued"
        self.state.count("resumed")
        return 204, None

    # --- seats ---

    def make_seat(self, body):
        only(body, ("seat_id", "seat_type", "business_unit_id", "seat_name", "email", "phone"), "")
        name = need(body, "seat_id", str, "")
        kind = body.get("seat_type", {"id": "USER_SEAT"})
        only(kind, ("id",), "seat_type")
        if kind.get("id") not in SEAT_TYPES:
            raise Refusal(400, "invalid_request", "unknown seat_type", "seat_type.id")
        if name.lower() in self.state.seats:
            raise Refusal(409, "duplicate_error", "The seat exists already")
        self.state.seats[name.lower()] = {"seat_id": name, "seat_type": kind["id"]}
        return 201, dict(body)

    def route(self, method, path, query, body):
        """(status, answer) of a request; path is below the prefix."""
        parts = [urllib.parse.unquote(p) for p in path.strip("/").split("/")]
        simple = {("GET", "hello"): self.hello,
                  ("GET", "profile"): lambda: self.profiles(query),
                  ("GET", "certificate-search"): lambda: self.search(query),
                  ("POST", "certificate"): lambda: self.issue(body),
                  ("POST", "seat"): lambda: self.make_seat(body),
                  ("GET", "seat-types"): lambda: (200, [{"id": s, "display_name": s} for s in SEAT_TYPES]),
                  ("GET", "business-unit"): lambda: (200, {"items": [
                      {"id": PROFILES[0]["business_unit_id"], "name": "HQ"}]})}
        if len(parts) == 1 and (method, parts[0]) in simple:
            return simple[(method, parts[0])]()
        if len(parts) == 2 and (method, parts[0]) == ("GET", "profile"):
            return 200, self.shown_profile(self.profile(parts[1]))
        if len(parts) == 2 and (method, parts[0]) == ("GET", "certificate"):
            return 200, self.shown_certificate(self.state.find(parts[1], query.get("thumbprint_sha256")))
        if len(parts) == 2 and (method, parts[0]) == ("POST", "certificate-pickup"):
            return self.pick_up(parts[1], body)
        if len(parts) == 3 and parts[0] == "certificate":
            if (method, parts[2]) == ("POST", "renew"):
                return self.renew(parts[1], query, body)
            if (method, parts[2]) == ("PUT", "revoke"):
                return self.revoke(parts[1], query, body)
            if (method, parts[2]) == ("DELETE", "revoke"):
                return self.resume(parts[1], query)
        raise Refusal(404, "resource_not_found", f"No resource {method} {path}")
