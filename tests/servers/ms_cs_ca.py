# SPDX-License-Identifier: LGPL-2.1-or-later
"""The certification authority, the templates and the directory of tests/servers/ms-cs."""

import secrets
import subprocess
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import ms_cs_der as der
from ms_cs_soap import PKCS7, CaFault
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

OID = x509.ObjectIdentifier
UPN, SID_EXTENSION, SID_NAME = OID("1.3.6.1.4.1.311.20.2.3"), OID("1.3.6.1.4.1.311.25.2"), "1.3.6.1.4.1.311.25.2.1"
NAME_EXTENSION, OID_EXTENSION = OID("1.3.6.1.4.1.311.20.2"), OID("1.3.6.1.4.1.311.21.7")
NAME_VALUE_PAIR = "1.3.6.1.4.1.311.13.2.1"
AGENT_PURPOSE = OID("1.3.6.1.4.1.311.20.2.1")
CLIENT, SERVER, MAIL = OID("1.3.6.1.5.5.7.3.2"), OID("1.3.6.1.5.5.7.3.1"), OID("1.3.6.1.5.5.7.3.4")
LOGON, CARD = OID("1.3.6.1.4.1.311.20.2.2"), OID("2.16.840.1.101.3.6.8")
DATA = "1.2.840.113549.1.7.1"


class User:
    """An account of the directory."""

    def __init__(self, name, number, full_name, can_enroll=False):
        self.account, self.full_name, self.can_enroll = "LAB\\" + name, full_name, can_enroll
        self.upn = f"{name}@lab.test"
        self.sid = f"S-1-5-21-1004336348-1177238915-682003330-{number}"
        self.mail = f"{name}@lab.test"


USERS = {user.account.lower(): user for user in (
    User("cmsoper", 1100, "Card Management", can_enroll=True),
    User("nobody", 1101, "No Rights"),
    User("ada", 1104, "Ada Lovelace"),
    User("grace", 1105, "Grace Hopper"))}


def find_user(name):
    """By LAB\\name or name@lab.test; None: there is none."""
    name = name.lower()
    if name.endswith("@lab.test"):
        name = "lab\\" + name[:-len("@lab.test")]
    return USERS.get(name)


class Template:
    """A certificate template, as the forest has it."""

    def __init__(self, number, name, purposes, **changes):
        self.name, self.oid = name, f"1.3.6.1.4.1.311.21.8.4242.7.{number}"
        self.purposes = purposes
        self.signatures = changes.get("signatures", 0)
        self.signature_purpose = changes.get("signature_purpose", AGENT_PURPOSE.dotted_string)
        self.from_request = changes.get("from_request", False)
        self.bits = changes.get("bits", 2048)
        self.encrypts = changes.get("encrypts", False)
        self.archives = changes.get("archives", False)
        self.enroll = changes.get("enroll", True)
        self.published = changes.get("published", True)


TEMPLATES = [
    Template(1, "TesseraLogon", [CLIENT, LOGON], signatures=1),
    Template(2, "TesseraSignature", [MAIL], signatures=1),
    Template(3, "TesseraEncryption", [MAIL], signatures=1, encrypts=True),
    Template(4, "TesseraCardAuth", [CARD], signatures=1, bits=256),
    Template(5, "CardLogonOffline", [CLIENT, LOGON], from_request=True),
    Template(6, "SignatureOffline", [MAIL], from_request=True),
    Template(7, "WebServer", [SERVER], from_request=True),
    Template(8, "OwnLogon", [CLIENT]),
    Template(9, "Archived", [MAIL], archives=True, encrypts=True),
    Template(10, "FourEyes", [CLIENT], signatures=2),
    Template(11, "OtherSigner", [CLIENT], signatures=1, signature_purpose="1.3.6.1.4.1.311.21.8.99"),
    Template(12, "NotForUs", [CLIENT], enroll=False),
    Template(13, "Unpublished", [CLIENT], published=False),
    Template(14, "LongKey", [CLIENT], from_request=True, bits=4096),
    Template(15, "AgentOnCard", [AGENT_PURPOSE], from_request=True),
]


class Record:
    """What a request wants: the key, who it is for, by which template."""

    def __init__(self, csr, template, user, submitter):
        self.key, self.template, self.user, self.submitter = csr.public_key(), template, user, submitter
        self.subject, self.names = csr.subject, None
        if template.from_request:
            self.names = extension_of(csr, x509.SubjectAlternativeName.oid)


def extension_of(csr, name):
    try:
        return csr.extensions.get_extension_for_oid(name).value
    except x509.ExtensionNotFound:
        return None
    except ValueError as error:
        raise CaFault(0x8007000D, "The data is invalid.") from error


def template_of(csr):
    """The one template that the request names."""
    named, numbered = extension_of(csr, NAME_EXTENSION), extension_of(csr, OID_EXTENSION)
    found = []
    try:
        if named is not None:
            name = der.only(named.value, der.BMP).decode("utf-16-be")
            found.append(next((t for t in TEMPLATES if t.name == name), None))
        if numbered is not None:
            parts = der.read(der.only(numbered.value, der.SEQUENCE))
            number = der.oid_text(parts[0][1])
            found.append(next((t for t in TEMPLATES if t.oid == number), None))
    except (der.DerError, UnicodeDecodeError, IndexError) as error:
        raise CaFault(0x8007000D, "The data is invalid.") from error
    if not found:
        raise CaFault(0x80094801, "The request contains no certificate template information.")
    if len(found) == 2 and found[0] is not found[1]:
        raise CaFault(0x80094802, "The request contains conflicting template information.")
    if found[0] is None or not found[0].published:
        raise CaFault(0x80094800, "The requested certificate template is not supported by this CA.")
    return found[0]


def check_key(csr, template):
    key = csr.public_key()
    needed = template.bits if isinstance(key, rsa.RSAPublicKey) else 256
    if key.key_size < needed:
        raise CaFault(0x80094811, "The public key does not meet the minimum size required by the specified "
                      "certificate template.")


class Authority:
    """Issues real certificates; `ca_out` gets its own."""

    def __init__(self, ca_out):
        self.revocation = None
        self.key, self.certificate = self.make("LAB-CA")
        self.other_key, self.other = self.make("Another CA")
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        self.file = Path(ca_out or tempfile.mkdtemp(prefix="ms-cs-") + "/ca.pem")
        self.file.write_bytes(self.pem)

    @staticmethod
    def make(name):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.utcnow()
        certificate = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
                       .public_key(key.public_key()).serial_number(x509.random_serial_number())
                       .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=3650))
                       .add_extension(x509.BasicConstraints(True, None), True)
                       .add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), True)
                       .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
                       .sign(key, hashes.SHA256()))
        return key, certificate

    # --- requests ---

    def read(self, request, submitter):
        """The record of a request, or what the CA says against it."""
        agent_purposes, user = [], submitter
        data = request.token
        if request.type == PKCS7:
            data, user, agent_purposes = self.open_message(request.token)
        try:
            csr = x509.load_der_x509_csr(data)
            good = csr.is_signature_valid
        except ValueError as error:
            raise CaFault(0x8007000D, "The data is invalid.") from error
        if not good:
            raise CaFault(0x80090006, "Invalid Signature.")
        template = template_of(csr)
        if not submitter.can_enroll or not template.enroll:
            raise CaFault(0x80094012, "The permissions on the certificate template do not allow the current user to "
                          "enroll for this type of certificate.")
        self.check_signatures(template, agent_purposes)
        check_key(csr, template)
        return Record(csr, template, user, submitter)

    @staticmethod
    def check_signatures(template, purposes):
        if template.signatures and not purposes:
            raise CaFault(0x80094809, "The request is missing required signature policy information.")
        if template.signatures > 1:
            raise CaFault(0x8009480A, "The request is missing one or more required signatures.")
        if template.signatures and OID(template.signature_purpose) not in purposes:
            raise CaFault(0x8009480B, "One or more signatures did not include the required application or issuance "
                          "policies.")

    def open_message(self, message):
        """(PKCS#10, user, purposes of the signer) of CMS around a request on behalf [MS-WCCE 3.1.1.4.3.3.2]."""
        try:
            kind, content, signers = der.signed_data(message)
            if kind != DATA or content is None or len(signers) != 1:
                raise der.DerError("no request on behalf")
            pairs = der.name_values(signers[0][NAME_VALUE_PAIR])
            name = pairs["requestername"]
        except (der.DerError, KeyError, UnicodeDecodeError, IndexError) as error:
            raise CaFault(0x80091004, "Invalid cryptographic message type.") from error
        purposes = self.verify(message)
        user = find_user(name) if "\\" in name or "@" in name else None
        if user is None:
            raise CaFault(0x80070525, "The specified account does not exist.")
        return content, user, purposes

    def verify(self, message):
        """Purposes of the signer, whose certificate has to come from this CA."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "message").write_bytes(message)
            done = subprocess.run(
                ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{folder}/message",
                 "-CAfile", str(self.file), "-purpose", "any", "-signer", f"{folder}/signer", "-out", "/dev/null"],
                capture_output=True, check=False)
            if done.returncode != 0:
                raise CaFault(0x80094809, "The request is missing required signature policy information.")
            signer = x509.load_pem_x509_certificate(Path(folder, "signer").read_bytes())
        try:
            return list(signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        except x509.ExtensionNotFound:
            return []

    # --- certificates ---

    def issue(self, record, state):
        key = record.key
        if state.knob("wrong-key"):
            key = rsa.generate_private_key(65537, 2048).public_key()
        issuer, signer = self.certificate, self.key
        if state.knob("wrong-issuer"):
            issuer, signer = self.other, self.other_key
        serial = secrets.randbits(159) | 1 << 158
        if state.certificates and state.knob("duplicate-serial"):
            serial = int(state.certificates[-1]["serial"], 16)
        wrong_person = USERS["lab\\grace"] if state.knob("wrong-person") else record.user
        builder = self.build(record, key, issuer, serial, wrong_person, state)
        for extension in self.revocation.extensions() if self.revocation else []:
            builder = builder.add_extension(extension, False)
        made = builder.sign(signer, hashes.SHA256())
        return {"serial": f"{serial:040x}", "der": made.public_bytes(serialization.Encoding.DER),
                "status": "issued", "reason": None, "template": record.template.name,
                "requester": record.user.account, "subject": made.subject.rfc4514_string(),
                "pem": made.public_bytes(serialization.Encoding.PEM).decode()}

    @staticmethod
    def build(record, key, issuer, serial, user, state):
        template, now = record.template, datetime.utcnow()
        purposes = [p for p in template.purposes if not (p == LOGON and state.knob("no-logon-purpose"))]
        subject = record.subject if template.from_request else \
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user.full_name)])
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject)
                   .public_key(key).serial_number(serial).not_valid_before(now - timedelta(minutes=10))
                   .not_valid_after(now + timedelta(days=365))
                   .add_extension(x509.KeyUsage(not template.encrypts, MAIL in template.purposes and
                                                not template.encrypts, template.encrypts, False, False, False, False,
                                                False, False), True)
                   .add_extension(x509.ExtendedKeyUsage(purposes), False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), False))
        if template.from_request:
            return builder.add_extension(record.names, False) if record.names else builder
        names = [x509.OtherName(UPN, der.write(0x0C, user.upn.encode()))]
        if MAIL in template.purposes:
            names.append(x509.RFC822Name(user.mail))
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        if state.knob("no-sid"):
            return builder
        sid = der.write(der.OCTETS, user.sid.encode())
        value = der.write(der.SEQUENCE, der.write(der.CONTEXT_0, der.oid(SID_NAME), der.write(der.CONTEXT_0, sid)))
        return builder.add_extension(x509.UnrecognizedExtension(SID_EXTENSION, value), False)

    def response(self, certificate):
        """The CMC response with the CA's certificate and, unless it is pending, the new one."""
        own = self.certificate.public_bytes(serialization.Encoding.DER)
        return der.response([own] + ([certificate["der"]] if certificate else []))

    def agent(self, key, purpose=AGENT_PURPOSE):
        """PEM of an enrollment agent's certificate for a public key (PEM)."""
        public = serialization.load_pem_public_key(key.encode())
        now = datetime.utcnow()
        return (x509.CertificateBuilder()
                .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Enrollment Agent")]))
                .issuer_name(self.certificate.subject).public_key(public)
                .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
                .not_valid_after(now + timedelta(days=365))
                .add_extension(x509.KeyUsage(True, False, False, False, False, False, False, False, False), True)
                .add_extension(x509.ExtendedKeyUsage([purpose]), False)
                .sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode())

    def crl(self, certificates):
        """PEM of what is revoked or held."""
        now = datetime.utcnow()
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
                   .last_update(now - timedelta(minutes=1)).next_update(now + timedelta(days=1)))
        for certificate in certificates:
            if certificate["status"] == "issued":
                continue
            reason = x509.ReasonFlags.certificate_hold if certificate["status"] == "held" else \
                x509.ReasonFlags.unspecified
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(int(certificate["serial"], 16))
                .revocation_date(now).add_extension(x509.CRLReason(reason), False).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
