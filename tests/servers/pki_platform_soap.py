# SPDX-License-Identifier: LGPL-2.1-or-later
"""SOAP 1.1 as the web services of PKI Platform 8 speak it: what a request may hold, and how answers are written."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from xml.parsers import expat

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
WST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512/"
VERISIGN = "http://schemas.verisign.com/pkiservices/2009/07/"
ENROLLMENT, POLICY, MANAGEMENT = VERISIGN + "enrollment", VERISIGN + "policy", VERISIGN + "management"
HEALTH = "http://schemas.pki.symantec.com/pkiservices/healthcheck"
TOKEN = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#"
BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
ISSUE, RENEW, QUERY = WST + "Issue", WST + "Renew", VERISIGN + "QueryTokenStatus"
PKCS10 = VERISIGN + "PKCS10"
REASONS = ("Unspecified", "KeyCompromise", "CACompromise", "AffiliationChanged", "CessationOfOperation",
           "PrivilegeWithdrawn", "AACompromise", "Superseded")
STATUSES = ("VALID", "EXPIRED", "REVOKED", "SUSPENDED")


class Refusal(Exception):
    """An HTTP status without SOAP."""

    def __init__(self, status, text="", headers=None):
        super().__init__(str(status))
        self.status, self.text, self.headers = status, text, headers


class Fault(Exception):
    """A SOAP fault: the service's code and words."""

    def __init__(self, code, message, client=False):
        super().__init__(message)
        self.code, self.message, self.client = code, message, client


# --- what a request may hold: the sequences of the schemas, without their room for anything else ---

@dataclass
class Part:
    """An element of a sequence: text that fits the pattern, or a sequence of its own."""

    name: str
    pattern: str = r"[\s\S]+"
    least: int = 1
    most: int = 1
    parts: list = None
    attributes: dict = field(default_factory=dict)
    nillable: bool = False


def one_of(*values):
    return "|".join(re.escape(v) for v in values)


TRANSACTION = Part("clientTransactionID", ".{0,40}", 0)
CONTENTS = {
    "RequestSecurityToken": (WST, "RequestSecurityToken", [Part("requestVSSecurityToken", parts=[
        Part("certificateProfileID", r"[0-9]+(\.[0-9]+)+"),
        TRANSACTION,
        Part("tokenType", one_of(TOKEN + "X509v3", TOKEN + "PKCS7", VERISIGN + "PKCS12"), 0),
        Part("requestType", one_of(ISSUE, RENEW, QUERY)),
        Part("binarySecurityToken", "[A-Za-z0-9+/=]+", 0, 9, attributes={
            "ValueType": one_of(PKCS10, VERISIGN + "SPKAC", TOKEN + "PKCS7", TOKEN + "X509v3"),
            "EncodingType": re.escape(BASE64)}),
        Part("pendingTokenReferenceID", least=0),
        Part("nameValuePair", least=0, most=99, parts=[Part("name"), Part("value")]),
        Part("version", re.escape("2.0"))], attributes={"preferredLanguage": "[a-z]{2}(-[A-Z]{2})?"})]),
    "requestPolicies": (POLICY, "getPolicies", [
        Part("version", re.escape("2.0")), TRANSACTION,
        Part("requestFilter", nillable=True, parts=[
            Part("policyIDs", nillable=True, parts=[Part("oid", r"[0-9]+(\.[0-9]+)+", most=99)])]),
        Part("signResponse", "true|false", 0)]),
    "updateCertificateStatus": (MANAGEMENT, "updateCertificateStatusRequest", [
        TRANSACTION, Part("version", re.escape("1.0")), Part("certificateIssuer", least=0),
        Part("revocationReason", one_of(*REASONS), 0), Part("challenge", least=0),
        Part("comment", r"[\s\S]{0,512}", 0), Part("certificateSerialNumber", "[0-9A-Fa-f]+"),
        Part("operationType", "Revoke|Suspend|Resume")]),
    "searchCertificate": (MANAGEMENT, "searchCertificateRequest", [
        TRANSACTION, Part("seatId", least=0), Part("accountId", least=0), Part("profileOID", least=0),
        Part("commonName", least=0), Part("status", one_of(*STATUSES), 0), Part("emailAddress", least=0),
        Part("serialNumber", "[0-9A-Fa-f]+", 0), Part("issuingCA", "[A-Za-z0-9+/=]+", 0),
        Part("validFrom", "[0-9]+", 0), Part("validTo", "[0-9]+", 0), Part("startIndex", "[0-9]+", 0),
        Part("version", re.escape("1.0"))]),
    "getStatus": (HEALTH, "getStatusRequestMessage", [
        Part("version", re.escape("1.0")), TRANSACTION, Part("operationType", "ENROLL"),
        Part("profileOid", least=0)]),
}
# The path below /pki-ws/, and its operations with their soapAction.
SERVICES = {
    "enrollmentService": {"RequestSecurityToken": ENROLLMENT + "/requestSecurityToken"},
    "policyService": {"requestPolicies": POLICY + "/requestPolicies"},
    "certificateManagementService": {name: f"{MANAGEMENT}/{name}"
                                     for name in ("updateCertificateStatus", "searchCertificate")},
    "healthcheckService": {"getStatus": HEALTH + "/getStatus"},
}


def refuse(text):
    raise Fault("E-1001", f"The request does not fit the schema: {text}", True)


def check_text(element, part):
    if len(element) or not re.fullmatch(part.pattern, element.text or ""):
        refuse(f"{part.name} is \"{element.text}\"")


def is_nil(element):
    return element.get(f"{{{XSI}}}nil") == "true"


def check_element(space, element, part):
    for name, value in element.attrib.items():
        allowed = "true" if name == f"{{{XSI}}}nil" and part.nillable else part.attributes.get(name)
        if not allowed or not re.fullmatch(allowed, value):
            refuse(f"the attribute {name} of {part.name}")
    if is_nil(element):
        if len(element) or element.text:
            refuse(f"{part.name} is nil and not empty")
    elif part.parts is None:
        check_text(element, part)
    else:
        check_sequence(space, element, part.parts)


def check_sequence(space, element, parts):
    """The children are those of the sequence, in its order, and nothing else is there."""
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        refuse(f"text in {element.tag}")
    children = list(element)
    for part in parts:
        count = 0
        while children and children[0].tag == f"{{{space}}}{part.name}" and count < part.most:
            check_element(space, children.pop(0), part)
            count += 1
        if count < part.least:
            refuse(f"{part.name} is missing" + (f" before {children[0].tag}" if children else ""))
    if children:
        refuse(f"{children[0].tag} has no place there")


def parse(text):
    """An element tree; no document type declaration may be there (SOAP 1.1, 3)."""
    parser = expat.ParserCreate()

    def found(*_):
        refuse("a document type declaration")
    parser.StartDoctypeDeclHandler = found
    try:
        parser.Parse(text, True)
        return ET.fromstring(text)
    except (expat.ExpatError, ET.ParseError) as error:
        raise Fault("E-1000", f"The request is no XML: {error}", True) from error


def read_envelope(text):
    """The one element in the body."""
    envelope = parse(text)
    if envelope.tag != f"{{{SOAP}}}Envelope":
        refuse(f"{envelope.tag} is no envelope")
    names = [child.tag for child in envelope]
    if names not in ([f"{{{SOAP}}}Body"], [f"{{{SOAP}}}Header", f"{{{SOAP}}}Body"]) or len(envelope[-1]) != 1:
        refuse("the envelope holds other things than one body with one element")
    return envelope[-1][0]


def operation_of(service, element, action):
    """The name of the operation; its element and the header have to be right."""
    for name, own_action in SERVICES[service].items():
        space, root, parts = CONTENTS[name]
        if element.tag != f"{{{space}}}{root}":
            continue
        if action != f'"{own_action}"':
            refuse(f"SOAPAction {action} is not that of {name}")
        if name == "RequestSecurityToken":  # a WS-Trust element around one of the enrollment's own
            space = ENROLLMENT
        if element.attrib:
            refuse(f"attributes of {root}")
        check_sequence(space, element, parts)
        return name
    return refuse(f"{element.tag} is no request to {service}")


def texts(element):
    """The texts of the children by name, those without children of their own."""
    return {child.tag.split("}")[1]: child.text or "" for child in element if not len(child)}


# --- answers ---

def tree(space, name, *contents, **attributes):
    """An element of that namespace: texts, elements, and pairs (name, text) of which None is left out."""
    element = ET.Element(f"{{{space}}}{name}", attributes)
    for content in contents:
        if isinstance(content, str):
            element.text = content
        elif isinstance(content, tuple):
            if content[1] is not None:
                ET.SubElement(element, f"{{{space}}}{content[0]}").text = content[1]
        elif content is not None:
            element.append(content)
    return element


def nil(space, name):
    return tree(space, name, **{f"{{{XSI}}}nil": "true"})


def write_envelope(element):
    body = tree(SOAP, "Body", element)
    return ET.tostring(tree(SOAP, "Envelope", body), encoding="utf-8", xml_declaration=True)


def write_fault(fault, shape):
    """The detail has code and message: as children (1), further down (2), or there is none (3)."""
    element = ET.Element(f"{{{SOAP}}}Fault")
    ET.SubElement(element, "faultcode").text = "soapenv:Client" if fault.client else "soapenv:Server"
    ET.SubElement(element, "faultstring").text = "Error in the request" if shape != 3 else fault.message
    if shape != 3:
        detail = ET.SubElement(element, "detail")
        if shape == 2:
            detail = ET.SubElement(detail, f"{{{ENROLLMENT}}}enrollmentFault")
        ET.SubElement(detail, f"{{{ENROLLMENT}}}" + ("errorCode" if shape == 2 else "errorcode")).text = fault.code
        ET.SubElement(detail, f"{{{ENROLLMENT}}}message").text = fault.message
    return write_envelope(element)
