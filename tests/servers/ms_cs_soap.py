# SPDX-License-Identifier: LGPL-2.1-or-later
"""SOAP 1.2 with WS-Addressing and WS-Security as [MS-WSTEP] and [MS-XCEP] have it, read strictly."""

import base64
import binascii
import re
import uuid
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESS = "http://www.w3.org/2005/08/addressing"
TRUST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
ENROLLMENT = "http://schemas.microsoft.com/windows/pki/2009/01/enrollment"
POLICY = "http://schemas.microsoft.com/windows/pki/2009/01/enrollmentpolicy"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
DISPATCHER = "http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher"
DIAGNOSTICS = "http://schemas.microsoft.com/2004/09/ServiceModel/Diagnostics"
X509 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
PASSWORD_TEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"
PKCS7, PKCS10 = SECURITY + "#PKCS7", ENROLLMENT + "#PKCS10"
BASE64 = SECURITY + "#base64binary"
ISSUE, STATUS = TRUST + "/Issue", ENROLLMENT + "/QueryTokenStatus"
ACTION_TOKEN, ACTION_POLICIES = ENROLLMENT + "/RST/wstep", POLICY + "/IPolicy/GetPolicies"
NIL = f"{{{XSI}}}nil"


class Refusal(Exception):
    """An HTTP status without SOAP."""

    def __init__(self, status, text="", headers=()):
        super().__init__(str(status))
        self.status, self.text, self.headers = status, text, headers


class Fault(Exception):
    """A fault of the service itself: it has not asked the CA."""

    def __init__(self, subcode, reason, code="Sender", namespace=ADDRESS):
        super().__init__(reason)
        self.code, self.subcode, self.reason, self.namespace = code, subcode, reason, namespace

    def detail(self):
        return ""


class CaFault(Fault):
    """What the CA refuses: CertificateEnrollmentWSDetail."""

    def __init__(self, hresult, reason, final=True, request_id=None):
        super().__init__(None, f"{reason} {hresult:#010x} ({hresult - (1 << 32)})", "Receiver")
        self.message = reason
        self.hresult, self.final, self.request_id = hresult, final, request_id

    def detail(self):
        number = f"<RequestID>{self.request_id}</RequestID>" if self.request_id else '<RequestID xsi:nil="true"/>'
        return (f'<s:Detail><CertificateEnrollmentWSDetail xmlns="{ENROLLMENT}" xmlns:xsi="{XSI}">'
                f'<BinaryResponse xsi:nil="true"/><ErrorCode>{self.hresult - (1 << 32)}</ErrorCode>'
                f"<InvalidRequest>{'true' if self.final else 'false'}</InvalidRequest>{number}"
                "</CertificateEnrollmentWSDetail></s:Detail>")


def invalid(text):
    return Fault("InvalidMessage", text, namespace=DISPATCHER)


# --- reading ---

class Builder(ET.TreeBuilder):
    def doctype(self, *_):
        raise invalid("a document type declaration is not allowed")


def parse(text):
    parser = ET.XMLParser(target=Builder())
    try:
        parser.feed(text)
        return parser.close()
    except ET.ParseError as error:
        raise Refusal(400, "Bad Request") from error


def tag(namespace, name):
    return f"{{{namespace}}}{name}"


def children(element, allowed):
    """The children by name; each of `allowed` ((namespace, name), required) at most once, and no others."""
    found = {}
    names = {tag(*name): name[1] for name, _ in allowed}
    for child in element:
        name = names.get(child.tag)
        if name is None or name in found:
            raise invalid(f"{child.tag} is not expected in {element.tag}")
        found[name] = child
    for name, required in allowed:
        if required and name[1] not in found:
            raise invalid(f"{name[1]} is missing in {element.tag}")
    return found


def text_of(element):
    if len(element):
        raise invalid(f"{element.tag} holds text alone")
    return (element.text or "").strip()


def attributes(element, allowed):
    for name in element.attrib:
        if name not in allowed:
            raise invalid(f"the attribute {name} is not expected in {element.tag}")


class Message:
    """What an envelope says: action, id, body (an element), user and password or None."""

    def __init__(self, text, url):
        envelope = parse(text)
        if envelope.tag != tag(SOAP, "Envelope"):
            raise Fault(None, "another version of SOAP", "VersionMismatch")
        parts = children(envelope, [((SOAP, "Header"), True), ((SOAP, "Body"), True)])
        header = children(parts["Header"], [
            ((ADDRESS, "Action"), True), ((ADDRESS, "MessageID"), True), ((ADDRESS, "ReplyTo"), True),
            ((ADDRESS, "To"), True), ((SECURITY, "Security"), False)])
        for name in ("Action", "To"):
            if header[name].get(tag(SOAP, "mustUnderstand")) != "1":
                raise invalid(f"{name} has to be understood")
        self.action = text_of(header["Action"])
        self.id = text_of(header["MessageID"])
        if not re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", self.id):
            raise invalid("the message's id is no UUID")
        reply = children(header["ReplyTo"], [((ADDRESS, "Address"), True)])
        if text_of(reply["Address"]) != ADDRESS + "/anonymous":
            raise invalid("answers go back the same way only")
        if text_of(header["To"]) != url:
            raise Fault("DestinationUnreachable", "The message with To '' cannot be processed at the receiver, due to "
                        "an AddressFilter mismatch at the EndpointDispatcher.")
        self.user = self.password = None
        if "Security" in header:
            self.user, self.password = read_security(header["Security"])
        if len(parts["Body"]) != 1:
            raise invalid("the body holds one element")
        self.body = parts["Body"][0]


def bad_security(code, text):
    return Fault(code, text, namespace=SECURITY)


def read_moment(element):
    try:
        return datetime.strptime(text_of(element), "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError as error:
        raise bad_security("InvalidSecurity", "a wrong time") from error


def read_security(element):
    if element.get(tag(SOAP, "mustUnderstand")) != "1":
        raise bad_security("InvalidSecurity", "Security has to be understood")
    parts = children(element, [((UTILITY, "Timestamp"), False), ((SECURITY, "UsernameToken"), True)])
    if "Timestamp" not in parts:
        raise bad_security("InvalidSecurity", "An error occurred when verifying security for the message.")
    times = children(parts["Timestamp"], [((UTILITY, "Created"), True), ((UTILITY, "Expires"), True)])
    created, expires = read_moment(times["Created"]), read_moment(times["Expires"])
    now, skew = datetime.utcnow(), timedelta(minutes=5)
    if created > now + skew or expires < now - skew or expires - created > timedelta(minutes=5):
        raise bad_security("MessageExpired", "An error occurred when verifying security for the message.")
    token = children(parts["UsernameToken"], [((SECURITY, "Username"), True), ((SECURITY, "Password"), True)])
    if token["Password"].get("Type") != PASSWORD_TEXT:
        raise bad_security("InvalidSecurity", "the password has to be text")
    return text_of(token["Username"]), token["Password"].text or ""


class TokenRequest:
    """RequestSecurityToken: kind ("issue", "status"), and token with its type, or id."""

    def __init__(self, element):
        if element.tag != tag(TRUST, "RequestSecurityToken"):
            raise invalid("RequestSecurityToken is expected")
        parts = children(element, [
            ((TRUST, "TokenType"), True), ((TRUST, "RequestType"), False),
            ((SECURITY, "BinarySecurityToken"), False), ((ENROLLMENT, "RequestID"), False)])
        if text_of(parts["TokenType"]) != X509:
            raise invalid("another type of token")
        kind = text_of(parts["RequestType"]) if "RequestType" in parts else None
        if kind not in (ISSUE, STATUS):
            raise invalid("the RequestType is missing or unknown")
        self.kind = "issue" if kind == ISSUE else "status"
        self.id = self.token = self.type = None
        if self.kind == "issue":
            self.read_token(parts.get("BinarySecurityToken"))
        else:
            number = parts.get("RequestID")
            if number is None or number.get(NIL) == "true" or not text_of(number):
                raise invalid("QueryTokenStatus needs a RequestID")
            self.id = text_of(number)

    def read_token(self, element):
        if element is None:
            raise invalid("Issue needs a BinarySecurityToken")
        attributes(element, ("ValueType", "EncodingType", tag(UTILITY, "Id")))
        if element.get("EncodingType") != BASE64:
            raise CaFault(0x80070057, "The EncodingType is invalid.")
        self.type = element.get("ValueType")
        if self.type not in (PKCS7, PKCS10):
            raise CaFault(0x80070057, "The ValueType is invalid.")
        try:
            self.token = base64.b64decode(text_of(element), validate=True)
        except binascii.Error as error:
            raise CaFault(0x8007000D, "The data is invalid.") from error


def read_policies(element):
    """Checks a GetPolicies."""
    if element.tag != tag(POLICY, "GetPolicies"):
        raise invalid("GetPolicies is expected")
    parts = children(element, [((POLICY, "client"), True), ((POLICY, "requestFilter"), True)])
    if parts["client"].get(NIL) == "true":
        raise invalid("client must not be nil")
    client = children(parts["client"], [((POLICY, "lastUpdate"), True), ((POLICY, "preferredLanguage"), False)])
    if parts["requestFilter"].get(NIL) != "true" or client["lastUpdate"].get(NIL) != "true":
        raise invalid("filters are not known here")


# --- writing ---

def write_envelope(action, relates_to, body):
    return (f'<?xml version="1.0" encoding="utf-8"?>\n<s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESS}"><s:Header>'
            f'<a:Action s:mustUnderstand="1">{action}</a:Action>'
            f'<ActivityId CorrelationId="{uuid.uuid4()}" xmlns="{DIAGNOSTICS}">{uuid.uuid4()}</ActivityId>'
            f"<a:RelatesTo>{relates_to}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>").encode()


def write_fault(fault, relates_to):
    action = ENROLLMENT + "/RequestSecurityTokenCertificateEnrollmentWSDetailFault" if fault.detail() \
        else DISPATCHER + "/fault"
    subcode = f'<s:Subcode><s:Value xmlns:c="{fault.namespace}">c:{fault.subcode}</s:Value></s:Subcode>' \
        if fault.subcode else ""
    return write_envelope(action, relates_to, (
        f"<s:Fault><s:Code><s:Value>s:{fault.code}</s:Value>{subcode}</s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(fault.reason)}</s:Text></s:Reason>{fault.detail()}</s:Fault>'))


def binary(kind, data, breaks=False):
    text = base64.encodebytes(data).decode().replace("\n", "&#xD;\n") if breaks else base64.b64encode(data).decode()
    return f'<BinarySecurityToken ValueType="{kind}" EncodingType="{BASE64}" xmlns="{SECURITY}">{text}' \
        "</BinarySecurityToken>"


def write_response(words, response, requested, number):
    """RequestSecurityTokenResponse; requested and number are XML."""
    return (f"<RequestSecurityTokenResponse><TokenType>{X509}</TokenType>"
            f'<DispositionMessage xml:lang="en-US" xmlns="{ENROLLMENT}">{escape(words)}</DispositionMessage>'
            f"{response}<RequestedSecurityToken>{requested}</RequestedSecurityToken>{number}"
            "</RequestSecurityTokenResponse>")


def write_collection(*responses):
    return f'<RequestSecurityTokenResponseCollection xmlns="{TRUST}">{"".join(responses)}' \
        "</RequestSecurityTokenResponseCollection>"
