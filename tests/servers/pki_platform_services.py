# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the operations of tests/servers/pki-platform do: policies, certificates, answers."""

import base64
import uuid
from datetime import timezone

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

import pki_platform_soap as soap
from digicert_one_ca import Authority, CsrError
from pki_platform_soap import ENROLLMENT, HEALTH, MANAGEMENT, POLICY, WST, Fault, nil, tree
from stand_in import Knobs

# What requests call a value, what a policy calls the attribute, and where the certificate has it.
ATTRIBUTES = {"common_name": ("CN", "subject", "common_name"),
              "mail_email": ("mail", "subject", "email"),
              "serialNumber": ("serialNumber", "subject", "serial_number"),
              "org_unit": ("OU", "subject", "organization_units"),
              "otherNameUPN": ("otherNameUPN", "san", "user_principal_names"),
              "rfc822Name": ("rfc822Name", "san", "emails"),
              "badge_number": ("1.2.3.4.5", "subject", None)}
# What revocation.py calls the reasons.
REASON_NAMES = {"KeyCompromise": "key_compromise", "AffiliationChanged": "affiliation_changed",
                "Superseded": "superseded", "CessationOfOperation": "cessation_of_operation",
                "PrivilegeWithdrawn": "privilege_withdrawn", "hold": "certificate_hold"}
PREFIX = "2.16.840.1.113733.1.16.1.2.3.1.1."


def policy(number, name, needs, may=(), usages="logon", **changes):
    made = {"oid": f"{PREFIX}{61904600 + number}", "name": name, "usages": usages, "status": "active",
            "needs": needs, "may": may, "fixed": {"O": "Example Corp"}, "days": 365, "override": True,
            "private_key_attributes": {"key_size": "2048"}, "format": soap.TOKEN + "PKCS7", "escrow": False,
            "duplicates": True}
    made.update(changes)
    return made


POLICIES = [
    policy(1, "Smart card logon", ("common_name", "otherNameUPN"), ("rfc822Name",)),
    policy(2, "Signature", ("common_name", "rfc822Name"), ("serialNumber",), "signature", override=False),
    policy(3, "Badge", ("common_name", "badge_number")),
    policy(4, "One of each", ("common_name",), usages="signature", duplicates=False),
    policy(5, "Encryption with escrow", ("common_name",), usages="encryption", escrow=True,
           format=soap.VERISIGN + "PKCS12"),
    policy(6, "Old one", ("common_name",), status="inactive"),
]


class State(Knobs):
    """What the account has, and how the services behave."""

    def __init__(self, options):
        super().__init__(("issued", "enroll-posts", "revoked", "suspended", "resumed", "searches",
                          "lists", "questions", "issuers"))
        self.authority = Authority(options.ca_out)
        self.certificates = []
        self.pending = {}

    def control(self, request):
        with self.lock:
            if "certificates" in request:
                return [{"serial": c["serial"], "status": c["status"], "reason": c.get("reason"), "seat": c["seat"],
                         "profile": c["profile"]["name"], "pem": c["pem"]} for c in self.certificates]
            return super().control(request)


def milliseconds(time):
    return str(int(time.replace(tzinfo=timezone.utc).timestamp() * 1000))


class Policies:
    """The answer of requestPolicies."""

    def __init__(self, state, wanted):
        self.state, self.oids, self.references = state, tree(POLICY, "oIDs"), {}
        self.policies = [p for p in POLICIES if not wanted or p["oid"] in wanted]

    def reference(self, oid, group, name):
        """The number that stands for an OID in the answer."""
        if oid not in self.references:
            self.references[oid] = str(100 + len(self.references))
            self.oids.append(tree(POLICY, "oID", ("value", oid), ("oIDReferenceID", self.references[oid]),
                                  ("group", group), ("defaultName", name)))
        return self.references[oid]

    def pair(self, element, name, mandatory):
        """An attribute that a request gives a value for."""
        attribute, form = ATTRIBUTES[name][0], self.state.setting("names", "variable")
        word = "true" if mandatory else "false"
        made = tree(POLICY, element, ("attributeName", attribute if form == "variable" else name))
        if form == "plain":
            made.append(nil(POLICY, "attributeNameValue"))
        else:
            made.append(tree(POLICY, "attributeNameValue", "$" + name if form == "variable" else "",
                             mandatory=word, type="string"))
        if form != "bare":
            made.append(self.source(None, "USER_INPUT", word))
        return made

    @staticmethod
    def source(value, source, mandatory):
        made = tree(POLICY, "attributeNameValueProperty", ("value", value) if value else nil(POLICY, "value"),
                    ("source", source), ("mandatory", mandatory), ("overridable", "false" if value else "true"))
        return made

    def fixed(self, name, value):
        made = tree(POLICY, "subjectNameAttributeNameValuePair", ("attributeName", name),
                    ("attributeNameValue", value))
        if self.state.setting("names", "variable") == "plain":
            made = tree(POLICY, "subjectNameAttributeNameValuePair", ("attributeName", name),
                        nil(POLICY, "attributeNameValue"), self.source(value, "FIXED", "true"))
        return made

    def subject(self, policy_):
        made = tree(POLICY, "subjectNameInfo")
        pairs = [self.pair("subjectNameAttributeNameValuePair", n, n in policy_["needs"])
                 for n in policy_["needs"] + policy_["may"] if ATTRIBUTES[n][1] == "subject"]
        pairs += [self.fixed(n, v) for n, v in policy_["fixed"].items()]
        for pair in pairs:
            made.append(tree(POLICY, "subjectNameAttribute", nil(POLICY, "subjectNameAttributecount"), pair))
        made.append(tree(POLICY, "overrideSubjectNameFormat", "false"))
        return made

    def extensions(self, policy_):
        made = tree(POLICY, "extensions")
        pairs = [self.pair("extensionAttributeNameValuePair", n, n in policy_["needs"])
                 for n in policy_["needs"] + policy_["may"] if ATTRIBUTES[n][1] == "san"]
        made.append(tree(POLICY, "Extension", ("extensionOIDReference", self.reference("2.5.29.15", "6", "Key Usage")),
                         ("extensionCriticalFlag", "true"),
                         tree(POLICY, "extensionSyntax", ("extensionValue", "digitalSignature"))))
        made.append(tree(POLICY, "Extension",
                         ("extensionOIDReference", self.reference("2.5.29.17", "6", "Subject Alternative Name")),
                         ("extensionCriticalFlag", "false"), tree(POLICY, "extensionSyntax", *pairs)))
        return made

    def override(self, policy_):
        made = tree(POLICY, "certificateOverrideValidity",
                    ("overrideFlag", "true" if policy_["override"] else "false"))
        for name in ("$overrideValidityDays", "$overrideValidityEndDate") if policy_["override"] else ():
            made.append(tree(POLICY, "overrideNameValuePair", name))
        return made

    def attributes(self, policy_):
        return tree(
            POLICY, "attributes", ("policySchema", "2"),
            tree(POLICY, "certificateValidity", ("validityPeriodDays", str(policy_["days"])),
                 ("renewalPeriodDays", "30")),
            self.override(policy_), self.subject(policy_), self.extensions(policy_),
            tree(POLICY, "privateKeyAttributes", ("keysize", policy_["private_key_attributes"]["key_size"]),
                 tree(POLICY, "keyEscrowPolicy", ("keyEscrowEnabled", "true" if policy_["escrow"] else "false"),
                      nil(POLICY, "keyEscrowDeploymentMode"), nil(POLICY, "doKeyRecoveryForAdditionalEnrollRequest")),
                 ("keyexportable", "false"), nil(POLICY, "algorithmOIDReference"), nil(POLICY, "cryptoProviders")),
            nil(POLICY, "clientPolicy"),
            tree(POLICY, "systemInfo", ("certificateDeliveryFormat", policy_["format"]),
                 nil(POLICY, "serviceEndpointList"), ("duplicateCertPolicy", str(policy_["duplicates"]).lower()),
                 nil(POLICY, "supersededPolicyOID")),
            nil(POLICY, "rAPolicy"),
            tree(POLICY, "seatIdInfo", ("attributeNameValue", "$seat_id"), self.source(None, "USER_INPUT", "true")),
            nil(POLICY, "applicationInstructions"), ("deploymentMode", "production"), ("status", policy_["status"]),
            nil(POLICY, "migrationOIDs"))

    def answer(self, transaction):
        mode = self.state.setting("policies", "all")
        policies = tree(POLICY, "policies")
        for each in self.policies[:1] if mode == "one" else self.policies:
            policies.append(tree(POLICY, "policy", ("policyOIDReference", self.reference(each["oid"], "9", each["name"])),
                                 tree(POLICY, "cAs", ("cAReference", "1")), self.attributes(each)))
        ca = base64.b64encode(self.state.authority.certificate.public_bytes(Encoding.DER)).decode()
        response = tree(POLICY, "response", ("policyID", "{account}"), ("policyFriendlyName", "Example Ltd"),
                        nil(POLICY, "nextUpdateHours"), ("policiesNotChanged", str(mode == "unchanged").lower()),
                        policies if mode in ("all", "one") else nil(POLICY, "policies"))
        return tree(POLICY, "getPoliciesResponse", ("clientTransactionID", transaction),
                    ("serverTransactionID", uuid.uuid4().hex), response,
                    tree(POLICY, "cAs", tree(POLICY, "cA", ("certificate", ca), ("cAIssuerName", "CN=Stand-in"),
                                             ("cAReferenceID", "1"), ("cAType", "private"),
                                             ("rootCACertificate", ca))),
                    self.oids)


class Services:
    """The operations; each takes the request's element and answers one."""

    def __init__(self, state):
        self.state = state

    def call(self, operation, element):
        given = soap.texts(element)
        return {"getStatus": self.health, "requestPolicies": self.policies, "RequestSecurityToken": self.token,
                "searchCertificate": self.search, "updateCertificateStatus": self.update}[operation](element, given)

    def health(self, _, given):
        status = self.state.setting("health", "UP")
        return tree(HEALTH, "getStatusResponseMessage", ("version", "1.0"),
                    ("clientTransactionID", given.get("clientTransactionID")),
                    ("serverTransactionID", uuid.uuid4().hex), ("statusCode", status),
                    ("statusMessage", "Service is " + status))

    def policies(self, element, given):
        wanted = [e.text for e in element.iter(f"{{{POLICY}}}oid")]
        return Policies(self.state, wanted).answer(given.get("clientTransactionID"))

    # --- issuing ---

    @staticmethod
    def policy(oid):
        for each in POLICIES:
            if each["oid"] == oid:
                return each
        raise Fault("E-2001", "The certificate profile is not found")

    def check_names(self, policy_, names):
        """Subject, san and days of what a request names; all that the policy wants, and nothing else."""
        subject, san, days = {}, {}, policy_["days"]
        for name, value in names.items():
            if name == "seat_id":
                continue
            if name == "overrideValidityDays" and policy_["override"]:
                days = int(value)
                continue
            if name not in policy_["needs"] + policy_["may"]:
                raise Fault("E-2003", f"The attribute {name} is not in the profile")
            _, part, key = ATTRIBUTES[name]
            if key:
                (subject if part == "subject" else san)[key] = \
                    [value] if part == "san" or key == "organization_units" else value
        for name in policy_["needs"] + ("seat_id",):
            if not names.get(name):
                raise Fault("E-2002", f"The mandatory attribute {name} is missing")
        return subject, san, days

    def token(self, element, _):
        request = element[0]
        given = soap.texts(request)
        if given["requestType"] == soap.QUERY:
            return self.query(given)
        if given["requestType"] != soap.ISSUE:
            raise Fault("E-2010", "Renewal is not enabled for the account")
        self.state.count("enroll-posts")
        policy_ = self.policy(given["certificateProfileID"])
        if policy_["status"] != "active":
            raise Fault("E-2004", "The certificate profile is not active")
        names = {}
        for pair in request.iter(f"{{{ENROLLMENT}}}nameValuePair"):
            name, value = pair[0].text, pair[1].text
            if name in names:
                raise Fault("E-2005", f"The attribute {name} is there twice")
            names[name] = value
        record = self.record(request, policy_, names)
        if self.state.setting("pending", 0):
            name = uuid.uuid4().hex
            self.state.pending[name] = {"left": self.state.setting("pending", 0), "record": record}
            return self.answer(given, ("pendingTokenReferenceID", name))
        return self.answer(given, self.issue(record))

    def record(self, request, policy_, names):
        subject, san, days = self.check_names(policy_, names)
        tokens = list(request.iter(f"{{{ENROLLMENT}}}binarySecurityToken"))
        if len(tokens) != 1 or tokens[0].get("ValueType") != soap.PKCS10:
            raise Fault("E-2006", "One certificate request is expected")
        try:
            key = self.state.authority.read_csr(tokens[0].text, policy_)
        except CsrError as error:
            raise Fault("E-2007", str(error)) from error
        if not policy_["duplicates"] and any(
                c["seat"] == names["seat_id"] and c["profile"] is policy_ and c["status"] == "VALID"
                for c in self.state.certificates):
            raise Fault("E-2008", "The seat has a certificate of the profile already")
        return {"profile": policy_, "seat": names["seat_id"], "subject": subject, "san": san, "key": key, "days": days}

    def issue(self, record):
        certificate = self.state.authority.issue(record, self.state)
        certificate["status"] = "VALID"
        self.state.certificates.append(certificate)
        self.state.count("issued")
        is_pkcs7 = self.state.setting("token", "x509") == "pkcs7"
        text = self.state.authority.pkcs7(certificate, "bare") if is_pkcs7 else \
            base64.b64encode(certificate["der"]).decode()
        return tree(ENROLLMENT, "binarySecurityToken", text, EncodingType=soap.BASE64,
                    ValueType=soap.TOKEN + ("PKCS7" if is_pkcs7 else "X509v3"))

    def query(self, given):
        waiting = self.state.pending.get(given.get("pendingTokenReferenceID"))
        if not waiting or waiting["record"]["profile"]["oid"] != given["certificateProfileID"]:
            raise Fault("E-2009", "There is no such request")
        if "answer" in waiting:
            return waiting["answer"]
        if self.state.setting("deny-pending", False):
            return self.answer(given, None, "The request was rejected by an administrator")
        waiting["left"] -= 1
        if waiting["left"] > 0:
            return self.answer(given, ("pendingTokenReferenceID", given["pendingTokenReferenceID"]))
        waiting["answer"] = self.answer(given, self.issue(waiting["record"]))
        return waiting["answer"]

    def answer(self, given, content, disposition=None):
        if content is not None and self.state.knob("missing-token"):
            content = None
        requested = tree(ENROLLMENT, "requestedVSSecurityToken", content) if content is not None else None
        made = tree(WST, "RequestSecurityTokenResponse", tree(
            ENROLLMENT, "RequestVSSecurityTokenResponse", ("clientTransactionID", given.get("clientTransactionID")),
            ("serverTransactionID", uuid.uuid4().hex), ("tokenType", given.get("tokenType")),
            ("dispositionMessage", disposition), requested, ("version", "2.0")))
        return tree(WST, "RequestSecurityTokenResponseCollection", made) if self.state.setting("wrapped", False) \
            else made

    # --- certificates ---

    def matches(self, certificate, given):
        serial = given.get("serialNumber", certificate["serial"])
        return given.get("seatId", certificate["seat"]) == certificate["seat"] \
            and given.get("profileOID", certificate["profile"]["oid"]) == certificate["profile"]["oid"] \
            and given.get("status", certificate["status"]) == certificate["status"] \
            and serial.lstrip("0").upper() == certificate["serial"].lstrip("0").upper()

    @staticmethod
    def shown(certificate):
        decoded = x509.load_der_x509_certificate(certificate["der"])
        return tree(MANAGEMENT, "certificateInformation",
                    ("certificate", base64.encodebytes(certificate["der"]).decode()),
                    ("seatId", certificate["seat"]), ("commonName", certificate["common_name"]),
                    ("accountId", "4711"), ("profileOID", certificate["profile"]["oid"]),
                    nil(MANAGEMENT, "emailAddress"), ("status", certificate["status"]),
                    ("validFrom", milliseconds(decoded.not_valid_before)),
                    ("validTo", milliseconds(decoded.not_valid_after)),
                    ("serialNumber", certificate["serial"].lower()), ("isEscrowed", "false"),
                    nil(MANAGEMENT, "enrollmentNotes"), nil(MANAGEMENT, "revokeComments"))

    def search(self, _, given):
        self.state.count("searches")
        found = [c for c in self.state.certificates if self.matches(c, given)]
        start, page = int(given.get("startIndex", "0")), self.state.setting("page", 50)
        shown = found[start:start + page]
        listed = tree(MANAGEMENT, "certificateList", *[self.shown(c) for c in shown]) if shown else None
        return tree(MANAGEMENT, "searchCertificateResponse",
                    ("clientTransactionID", given.get("clientTransactionID")),
                    ("serverTransactionID", uuid.uuid4().hex), ("certificateCount", str(len(shown))), listed,
                    ("moreCertificateAvailable", "true" if start + page < len(found) else "false"),
                    ("version", "1.0"))

    def update(self, _, given):
        found = [c for c in self.state.certificates if self.matches(
            c, {"serialNumber": given["certificateSerialNumber"]})]
        if not found:
            raise Fault("E-3001", "The certificate is not found")
        if len(found) > 1:
            raise Fault("E-3002", "Several certificates have the serial number")
        self.change(found[0], given)
        return tree(MANAGEMENT, "updateCertificateStatusResponse",
                    ("clientTransactionID", given.get("clientTransactionID")),
                    ("serverTransactionID", uuid.uuid4().hex), ("version", "1.0"),
                    ("successCode", str(self.state.setting("success-code", 0))), ("successMsg", "It is done"),
                    ("revocationCount", str(self.state.setting("revocation-count", 1))))

    def change(self, certificate, given):
        verb, reason = given["operationType"], given.get("revocationReason")
        if self.state.setting("revocation-count", 1) == 0 or self.state.setting("success-code", 0) < 0:
            return
        if verb == "Revoke":
            if certificate["status"] == "REVOKED":
                raise Fault("E-3003", "The certificate is revoked already")
            certificate["status"], certificate["reason"] = "REVOKED", reason or "Unspecified"
            self.state.count("revoked")
        elif reason:
            raise Fault("E-3004", "Only a revocation has a reason")
        elif verb == "Suspend":
            if certificate["status"] != "VALID":
                raise Fault("E-3005", "The certificate is not valid")
            certificate["status"], certificate["reason"] = "SUSPENDED", "hold"
            self.state.count("suspended")
        else:
            if certificate["status"] != "SUSPENDED":
                raise Fault("E-3006", "The certificate is not suspended")
            certificate["status"] = "VALID"
            self.state.count("resumed")
