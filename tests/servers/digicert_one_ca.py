# SPDX-License-Identifier: LGPL-2.1-or-later
"""The profiles and the issuing authority of tests/servers/digicert-one."""

import base64
import hashlib
import re
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Key of a request: the type in a profile, and whether it is a list.
SUBJECT_KEYS = {name: (name, name in ("description", "domain_component", "organization_units", "street_address",
                                      "unstructured_address", "unstructured_name"))
                for name in ("common_name", "country", "description", "domain_component", "dn_qualifier", "email",
                             "given_name", "title", "locality", "organization_name", "organization_identifier",
                             "organization_units", "postal_code", "serial_number", "state", "street_address",
                             "surname", "unique_identifier", "unstructured_address", "unstructured_name",
                             "user_id", "pseudonym")}
SAN_KEYS = {"emails": ("email", True), "user_principal_names": ("user_principal_name", True),
            "dns_names": ("dns_name", True), "uris": ("uri", True), "ip_addresses": ("ip_address", True),
            "registered_ids": ("registered_id", True), "directory_name": ("directory_name", False)}

NAMES = {"common_name": NameOID.COMMON_NAME, "organization_name": NameOID.ORGANIZATION_NAME,
         "organization_units": NameOID.ORGANIZATIONAL_UNIT_NAME, "email": NameOID.EMAIL_ADDRESS,
         "serial_number": NameOID.SERIAL_NUMBER, "country": NameOID.COUNTRY_NAME,
         "locality": NameOID.LOCALITY_NAME, "state": NameOID.STATE_OR_PROVINCE_NAME, "title": NameOID.TITLE,
         "given_name": NameOID.GIVEN_NAME, "surname": NameOID.SURNAME}
UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
SMARTCARD_LOGON = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.2")


def attribute(kind, mandatory=True, multiple=False, source="REST_REQUEST", value=None):
    entry = {"mandatory": mandatory, "source": source}
    if value is not None:
        entry["value"] = value
    return {"type": kind, "mandatory": mandatory, "multiple": multiple, "sources": [entry]}


def profile(number, name, subject, san, usages, **changes):
    made = {
        "id": f"7c1f0e52-9a3b-4d11-8f60-2b7a5d9e4c{number:02d}", "name": name, "status": "Active",
        "signature_algorithm": "SHA256_WITH_ECDSA", "publish_to_public_directory": False,
        "renewal_period_days": 30, "duplicate_cert_policy": True, "override_cert_validity_via_api": True,
        "certificate_delivery_format": "X509", "business_unit_id": "0d6b8f3e-1c22-4b57-9a84-5e0f7c3a1b29",
        "enrollment_method": "rest_api", "authentication_method": "third_party_app",
        "private_key_attributes": {"key_size": "2048"}, "key_escrow_policy": {"key_escrow_enabled": False},
        "certificate": {
            "subject": {"attributes": subject}, "validity": {"unit": "days", "duration": 365},
            "extensions": {"san": {"critical": False, "attributes": san}},
            "issuer": {"serial_number": "77", "subject_dn": "CN=Stand-in Issuing CA", "root": True, "chain": []}},
        "usages": usages}
    made.update(changes)
    return made


ORGANIZATION = attribute("organization_name", source="FIXED_VALUE", value="Example Corp")
PROFILES = [
    profile(1, "Smart card logon", [attribute("common_name"), ORGANIZATION],
            [attribute("user_principal_name", multiple=True), attribute("email", mandatory=False, multiple=True)],
            "logon"),
    profile(2, "Signature", [attribute("common_name"), attribute("serial_number", mandatory=False), ORGANIZATION],
            [attribute("email", multiple=True)], "signature"),
    profile(3, "Encryption", [attribute("common_name"), ORGANIZATION], [attribute("email", multiple=True)],
            "encryption", override_cert_validity_via_api=False),
    profile(4, "Badge", [attribute("common_name"), attribute("unique_identifier"), ORGANIZATION],
            [], "logon"),
    profile(5, "One of each", [attribute("common_name")], [], "signature", duplicate_cert_policy=False),
    profile(6, "From the browser", [attribute("common_name")], [], "logon", enrollment_method="browser_pkcs12"),
    profile(7, "By SAML", [attribute("common_name")], [], "logon", authentication_method="saml_idp"),
    profile(9, "Card authentication", [attribute("serial_number")], [], "logon",
            private_key_attributes={"key_size": "256"}),
    profile(8, "Old one", [attribute("common_name")], [], "logon", status="Deleted"),
]


class CsrError(Exception):
    """A certificate request that is refused, in the API's words."""


class Authority:
    """Issues real certificates; `ca_out` gets its own."""

    def __init__(self, ca_out):
        self.revocation = None
        self.key, self.certificate = self.make("Stand-in Issuing CA")
        self.other_key, self.other = self.make("Another CA")
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        if ca_out:
            Path(ca_out).write_text(self.pem, encoding="ascii")

    @staticmethod
    def make(name):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.utcnow()
        certificate = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
                       .public_key(key.public_key()).serial_number(x509.random_serial_number())
                       .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=3650))
                       .add_extension(x509.BasicConstraints(True, None), True)
                       .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), True)
                       .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
                       .sign(key, hashes.SHA256()))
        return key, certificate

    @staticmethod
    def read_csr(text, wanted):
        """The public key of a request that was signed with it: PEM, or base64 in one line."""
        try:
            if "-----BEGIN" in text:
                csr = x509.load_pem_x509_csr(text.encode())
            else:
                if not re.fullmatch(r"[A-Za-z0-9+/=]+", text):
                    raise ValueError
                csr = x509.load_der_x509_csr(base64.b64decode(text, validate=True))
        except ValueError as error:
            raise CsrError("The CSR cannot be parsed") from error
        if not csr.is_signature_valid:
            raise CsrError("The signature of the CSR is wrong")
        key = csr.public_key()
        size = int(wanted["private_key_attributes"]["key_size"])
        kind = rsa.RSAPublicKey if size >= 1024 else ec.EllipticCurvePublicKey
        if not isinstance(key, kind) or key.key_size != size:
            raise CsrError(f"CSR key length {key.key_size} does not match {size}")
        return key

    def issue(self, record, state):
        key = record["key"]
        if state.knob("wrong-key"):
            key = rsa.generate_private_key(65537, 2048).public_key()
        issuer, signer = self.certificate, self.key
        if state.knob("wrong-issuer"):
            issuer, signer = self.other, self.other_key
        serial = secrets.randbits(159) | 1 << 158
        if state.certificates and state.knob("duplicate-serial"):
            serial = int(state.certificates[-1]["serial"], 16)
        end = datetime.utcnow() + timedelta(days=record["days"])
        made = self.build(record, key, issuer, serial, end).sign(signer, hashes.SHA256())
        der = made.public_bytes(serialization.Encoding.DER)
        name = record["subject"].get("common_name", "")
        return {"serial": f"{serial:040X}", "der": der, "record": record, "profile": record["profile"],
                "seat": record["seat"], "status": "issued", "common_name": name, "not_after": end,
                "pem": made.public_bytes(serialization.Encoding.PEM).decode(),
                "valid_from": made.not_valid_before.isoformat() + "Z", "valid_to": end.isoformat() + "Z",
                "thumbprint": hashlib.sha256(der).hexdigest().upper()}

    def build(self, record, key, issuer, serial, end):
        names = []
        for kind, value in record["subject"].items():
            if kind in NAMES:
                names += [x509.NameAttribute(NAMES[kind], v) for v in (value if isinstance(value, list) else [value])]
        names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Corp"))
        usages = record["profile"]["usages"]
        encrypts = usages == "encryption"
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, SMARTCARD_LOGON] if usages == "logon" else \
            [ExtendedKeyUsageOID.EMAIL_PROTECTION]
        builder = (x509.CertificateBuilder().subject_name(x509.Name(names)).issuer_name(issuer.subject)
                   .public_key(key).serial_number(serial)
                   .not_valid_before(datetime.utcnow() - timedelta(minutes=5)).not_valid_after(end)
                   .add_extension(x509.BasicConstraints(False, None), True)
                   .add_extension(x509.KeyUsage(not encrypts, usages == "signature", encrypts, False, False, False,
                                                False, False, False), True)
                   .add_extension(x509.ExtendedKeyUsage(purposes), False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), False))
        san = [x509.RFC822Name(v) for v in record["san"].get("emails", [])]
        for upn in record["san"].get("user_principal_names", []):
            text = upn.encode()
            san.append(x509.OtherName(UPN, bytes([12, len(text)]) + text))
        if san:
            builder = builder.add_extension(x509.SubjectAlternativeName(san), False)
        for extension in self.revocation.extensions() if self.revocation else []:
            builder = builder.add_extension(extension, False)
        return builder

    def pkcs7(self, certificate, form):
        leaf = x509.load_der_x509_certificate(certificate["der"])
        if form == "pem":
            return pkcs7.serialize_certificates([leaf, self.certificate], serialization.Encoding.PEM).decode()
        der = pkcs7.serialize_certificates([leaf, self.certificate], serialization.Encoding.DER)
        return base64.b64encode(der).decode()
