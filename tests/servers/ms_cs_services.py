# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the enrollment and the policy service of tests/servers/ms-cs do, and how a CA revokes."""

import base64
from xml.sax.saxutils import escape

import ms_cs_soap as soap
from ms_cs_ca import AGENT_PURPOSE, TEMPLATES, Authority
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from stand_in import Knobs

CLIENT_AUTHENTICATION = {"kerberos": 2, "password": 4, "certificate": 8}
REASONS = (0, 1, 2, 3, 4, 5, 6, 8)


class State(Knobs):
    """What the CA has, and how the services behave."""

    def __init__(self, options):
        super().__init__(("issue-posts", "status-posts", "policy-posts", "fetches", "issued", "on-behalf", "denied", "revoked",
                          "held", "released", "password-seen", "lists", "questions", "issuers"))
        self.authority = Authority(options.ca_out)
        self.authentication = options.authentication
        self.base = f"https://{options.host}:{options.port}"
        self.certificates = []
        self.requests = {}
        self.last_id = 60

    def control(self, request):
        with self.lock:
            if "certificates" in request:
                return [{name: value for name, value in c.items() if name != "der"} for c in self.certificates]
            if "agent" in request:
                return self.authority.agent(request["agent"])
            if "no-agent" in request:
                return self.authority.agent(request["no-agent"], TEMPLATES[0].purposes[0])
            if "crl" in request:
                return self.authority.crl(self.certificates)
            if "revoke" in request:
                return self.revoke(request["revoke"], request["reason"])
            if "decide" in request:  # what an administrator does with all that is pending: "issue", "deny"
                for record in self.requests.values():
                    if "certificate" not in record:
                        record["decision"] = request["decide"]
        return super().control(request)

    def revoked(self):
        """(serial number, reason) of each certificate that is not good, as revocation.py wants them."""
        words = {6: "certificate_hold", 1: "key_compromise", 4: "superseded", 5: "cessation_of_operation"}
        return [(int(c["serial"], 16), words.get(c["reason"], "unspecified"))
                for c in self.certificates if c["status"] != "issued"]

    def revoke(self, serial, reason):
        """certutil -revoke: None, or what is wrong."""
        found = [c for c in self.certificates if c["serial"].lstrip("0") == serial.lstrip("0")]
        if len(serial) % 2 or serial != serial.lower() or not found:
            return "ERROR_FILE_NOT_FOUND"
        certificate = found[0]
        if reason == -1:
            if certificate["status"] != "held":
                return "ERROR_INVALID_DATA"
            certificate.update(status="issued", reason=None)
            self.count("released")
            return None
        if reason not in REASONS or (reason == 6 and certificate["status"] == "revoked"):
            return "ERROR_INVALID_DATA"
        certificate.update(status="held" if reason == 6 else "revoked", reason=reason)
        self.count("held" if reason == 6 else "revoked")
        return None


class Enrollment:
    """MS-WSTEP."""

    def __init__(self, state, user, url):
        self.state, self.user, self.url = state, user, url

    def call(self, message):
        """XML of the answer's body."""
        request = soap.TokenRequest(message.body)
        if request.kind == "status":
            self.state.count("status-posts")
            return self.status(request.id)
        return self.enter(request)

    def enter(self, request, check=None):
        """Takes a request for a certificate; check may refuse what it is for."""
        self.state.count("issue-posts")
        refusal = self.state.knob("refuse")
        if refusal:
            raise soap.CaFault(refusal["code"], refusal.get("message", "It is refused."), refusal.get("final", True))
        record = self.state.authority.read(request, self.user)
        if check:
            check(record)
        self.state.last_id += 1
        number = str(self.state.last_id) if not self.state.knob("long-id") else "3" * 39
        kept = {"record": record, "left": self.state.setting("pending", 0)}
        self.state.requests[number] = kept
        if request.type == soap.PKCS7:
            self.state.count("on-behalf")
        if kept["left"]:
            return self.pending(number)
        return self.issued(number, kept)

    def status(self, number):
        kept = self.state.requests.get(number)
        if not kept or kept["record"].submitter is not self.user:
            raise soap.CaFault(0x80094004, "The requested property value is empty.", final=False)
        if "certificate" in kept:
            return self.answer(number, kept["certificate"])
        decision = kept.get("decision")
        if decision == "deny" or self.state.setting("deny-pending", False):
            self.state.count("denied")
            raise soap.CaFault(0x80094014, "The request was denied by a certificate manager or CA administrator.",
                               request_id=number)
        kept["left"] -= 1
        if decision == "issue" or kept["left"] <= 0:
            return self.issued(number, kept)
        return self.pending(number)

    def issued(self, number, kept):
        certificate = self.state.authority.issue(kept["record"], self.state)
        certificate["request"] = number
        kept["certificate"] = certificate
        self.state.certificates.append(certificate)
        self.state.count("issued")
        return self.answer(number, certificate)

    def answer(self, number, certificate):
        state = self.state
        breaks = state.setting("breaks", False)
        leaf = certificate["der"]
        if state.knob("no-leaf"):  # only the CMC response has it
            leaf = state.authority.certificate.public_bytes(serialization.Encoding.DER)
        requested = soap.binary(soap.X509, leaf, breaks)
        if state.knob("neither"):
            requested = ""
        return self.collect("Issued", state.authority.response(certificate), requested, number)

    def pending(self, number):
        uri = self.state.setting("reference", self.url)
        requested = f'<SecurityTokenReference xmlns="{soap.SECURITY}"><Reference URI="{escape(uri)}"/>' \
            "</SecurityTokenReference>"
        return self.collect("Taken Under Submission", self.state.authority.response(None), requested, number)

    def collect(self, words, response, requested, number):
        state = self.state
        if state.knob("no-id"):
            number = f'<RequestID xsi:nil="true" xmlns:xsi="{soap.XSI}" xmlns="{soap.ENROLLMENT}"/>'
        else:
            number = f'<RequestID xmlns="{soap.ENROLLMENT}">{number}</RequestID>'
        made = soap.write_response(state.setting("words", words), soap.binary(
            soap.PKCS7, response, state.setting("breaks", False)), requested, number)
        return soap.write_collection(made, made) if state.knob("twice") else soap.write_collection(made)


class Policies:
    """MS-XCEP."""

    def __init__(self, state):
        self.state = state

    def call(self, message):
        self.state.count("policy-posts")
        soap.read_policies(message.body)
        templates = [] if self.state.knob("no-policies") else TEMPLATES
        policies = "".join(self.policy(number, template) for number, template in enumerate(templates))
        prefixed = self.state.setting("prefix", False)
        answer = self.response(policies, self.oids())
        return answer.replace("<p:", "<").replace("</p:", "</").replace("xmlns:p=", "xmlns=") if not prefixed \
            else answer

    def response(self, policies, oids):
        certificate = base64.b64encode(self.state.authority.certificate.public_bytes(
            serialization.Encoding.DER)).decode()
        kind = CLIENT_AUTHENTICATION[self.state.authentication]
        return (f'<p:GetPoliciesResponse xmlns:p="{soap.POLICY}" xmlns:xsi="{soap.XSI}"><p:response>'
                "<p:policyID>{2E1F5B38-0E2A-4B0F-8A60-3C1D4F5A6B7C}</p:policyID>"
                "<p:policyFriendlyName>Lab</p:policyFriendlyName><p:nextUpdateHours>8</p:nextUpdateHours>"
                '<p:policiesNotChanged xsi:nil="true"/>'
                f"<p:policies>{policies}</p:policies></p:response><p:cAs><p:cA><p:uris><p:cAURI>"
                f"<p:clientAuthentication>{kind}</p:clientAuthentication><p:uri>{self.state.base}/x</p:uri>"
                "<p:priority>1</p:priority><p:renewalOnly>false</p:renewalOnly></p:cAURI></p:uris>"
                f"<p:certificate>{certificate}</p:certificate><p:enrollPermission>true</p:enrollPermission>"
                f"<p:cAReferenceID>0</p:cAReferenceID></p:cA></p:cAs><p:oIDs>{oids}</p:oIDs></p:GetPoliciesResponse>")

    @staticmethod
    def oids():
        known = [(template.oid, 9, number, template.name) for number, template in enumerate(TEMPLATES)]
        known += [(AGENT_PURPOSE.dotted_string, 7, 100, "Certificate Request Agent"),
                  ("1.3.6.1.4.1.311.21.8.99", 7, 101, "Another"), ("2.5.29.37", 6, 102, "Application Policies")]
        return "".join(f"<p:oID><p:value>{value}</p:value><p:group>{group}</p:group>"
                       f"<p:oIDReferenceID>{number}</p:oIDReferenceID><p:defaultName>{name}</p:defaultName></p:oID>"
                       for value, group, number, name in known)

    @staticmethod
    def policy(number, template):
        cas = "<p:cAs><p:cAReference>0</p:cAReference></p:cAs>" if template.published else '<p:cAs xsi:nil="true"/>'
        purposes = x509.ExtendedKeyUsage(template.purposes).public_bytes()
        purpose = 100 if template.signature_purpose == AGENT_PURPOSE.dotted_string else 101
        requirements = (f"<p:rARequirements><p:rASignatures>{template.signatures}</p:rASignatures><p:rAEKUs>"
                        f"<p:oIDReference>{purpose}</p:oIDReference></p:rAEKUs>"
                        '<p:rAPolicies xsi:nil="true"/></p:rARequirements>'
                        if template.signatures else '<p:rARequirements xsi:nil="true"/>')
        return (f"<p:policy><p:policyOIDReference>{number}</p:policyOIDReference>{cas}<p:attributes>"
                f"<p:commonName>{template.name}</p:commonName><p:policySchema>2</p:policySchema>"
                "<p:certificateValidity><p:validityPeriodSeconds>31536000</p:validityPeriodSeconds>"
                "<p:renewalPeriodSeconds>3628800</p:renewalPeriodSeconds></p:certificateValidity>"
                f"<p:permission><p:enroll>{'true' if template.enroll else 'false'}</p:enroll>"
                "<p:autoEnroll>false</p:autoEnroll></p:permission>"
                f"<p:privateKeyAttributes><p:minimalKeyLength>{template.bits}</p:minimalKeyLength>"
                "<p:keySpec>1</p:keySpec></p:privateKeyAttributes>"
                "<p:revision><p:majorRevision>100</p:majorRevision><p:minorRevision>3</p:minorRevision></p:revision>"
                f'<p:supersededPolicies xsi:nil="true"/><p:privateKeyFlags>{1 if template.archives else 0}'
                f"</p:privateKeyFlags><p:subjectNameFlags>{1 if template.from_request else 0x02000000}"
                "</p:subjectNameFlags><p:enrollmentFlags>0</p:enrollmentFlags><p:generalFlags>66106</p:generalFlags>"
                f"{requirements}<p:extensions><p:extension><p:oIDReference>102</p:oIDReference>"
                f"<p:critical>false</p:critical><p:value>{base64.b64encode(purposes).decode()}</p:value>"
                "</p:extension></p:extensions></p:attributes></p:policy>")
