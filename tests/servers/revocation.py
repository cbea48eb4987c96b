# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the stand-ins' authorities show what is revoked: /crl, /ocsp and /issuer over plain HTTP.

Knobs of the stand-in (state.knobs): places (the extensions that certificates get: any of "crl", "ocsp", "issuer",
"ldap"; all but the last unless it is set), hide (lists and answers show all certificates as good), crl ("stale",
"future", "wrong-signature", "other-issuer", "text", "oversize", "redirect", "missing"), ocsp ("stale",
"wrong-signature", "other-signer", "try-later", "unknown", "text", "missing", "no-nonce", "wrong-nonce"),
crl-seconds (until the next update).
"""

import http.server
import threading
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

REASONS = {"unspecified": None, "key_compromise": x509.ReasonFlags.key_compromise,
           "affiliation_changed": x509.ReasonFlags.affiliation_changed, "superseded": x509.ReasonFlags.superseded,
           "cessation_of_operation": x509.ReasonFlags.cessation_of_operation,
           "certificate_hold": x509.ReasonFlags.certificate_hold,
           "privilege_withdrawn": x509.ReasonFlags.privilege_withdrawn}
DER = serialization.Encoding.DER


class Revocation:
    """What there is to see. `revoked()` gives (serial number, reason) of each certificate that is not good."""

    def __init__(self, port, state, revoked):
        self.port, self.state, self.revoked = port, state, revoked
        self.number = 0
        handler = type("BoundHandler", (Handler,), {"revocation": self})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def extensions(self):
        """The extensions of a certificate that say where."""
        places = self.state.setting("places", ["crl", "ocsp", "issuer"])
        base = f"http://localhost:{self.port}"
        access = []
        if "ocsp" in places:
            access.append(x509.AccessDescription(AuthorityInformationAccessOID.OCSP,
                                                 x509.UniformResourceIdentifier(base + "/ocsp")))
        if "issuer" in places:
            access.append(x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS,
                                                 x509.UniformResourceIdentifier(base + "/issuer")))
        names = [x509.UniformResourceIdentifier(name) for place, name in
                 (("ldap", "ldap:///CN=CA?certificateRevocationList"), ("crl", base + "/crl")) if place in places]
        found = [x509.AuthorityInformationAccess(access)] if access else []
        if names:
            found.append(x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)]))
        return found

    def signer(self, knob):
        return ec.generate_private_key(ec.SECP256R1()) if knob == "wrong-signature" else self.state.authority.key

    def times(self, knob):
        now = datetime.utcnow()
        if knob == "stale":
            return now - timedelta(days=8), now - timedelta(days=1)
        if knob == "future":
            return now + timedelta(days=1), now + timedelta(days=2)
        return now - timedelta(minutes=1), now + timedelta(seconds=self.state.setting("crl-seconds", 86400))

    def crl(self, knob):
        issuer = self.state.authority.other if knob == "other-issuer" else self.state.authority.certificate
        begin, end = self.times(knob)
        self.number += 1
        builder = (x509.CertificateRevocationListBuilder().issuer_name(issuer.subject).last_update(begin)
                   .next_update(end).add_extension(x509.CRLNumber(self.number), False))
        for serial, reason in [] if self.state.setting("hide", False) else self.revoked():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(datetime.utcnow())
            if REASONS.get(reason):
                entry = entry.add_extension(x509.CRLReason(REASONS[reason]), False)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.signer(knob), hashes.SHA256()).public_bytes(DER)

    def certificate(self, serial):
        for each in self.state.certificates:
            if int(each["serial"], 16) == serial:
                return x509.load_der_x509_certificate(each["der"])
        return None

    def answer(self, body, knob):
        request = ocsp.load_der_ocsp_request(body)
        certificate = self.certificate(request.serial_number)
        if knob == "try-later":
            return ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(DER)
        begin, end = self.times(knob)
        reasons = {} if self.state.setting("hide", False) else dict(self.revoked())
        status = ocsp.OCSPCertStatus.UNKNOWN if knob == "unknown" or certificate is None else \
            ocsp.OCSPCertStatus.REVOKED if request.serial_number in reasons else ocsp.OCSPCertStatus.GOOD
        is_revoked = status == ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=certificate or self.state.authority.certificate, issuer=self.state.authority.certificate,
            algorithm=request.hash_algorithm, cert_status=status, this_update=begin, next_update=end,
            revocation_time=datetime.utcnow() if is_revoked else None,
            revocation_reason=REASONS.get(reasons.get(request.serial_number)) if is_revoked else None)
        signer = self.state.authority.other if knob == "other-signer" else self.state.authority.certificate
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
        for extension in request.extensions:
            if isinstance(extension.value, x509.OCSPNonce) and knob != "no-nonce":
                nonce = b"another nonce" if knob == "wrong-nonce" else extension.value.nonce
                builder = builder.add_extension(x509.OCSPNonce(nonce), False)
        key = self.state.authority.other_key if knob == "other-signer" else self.state.authority.key
        signed = bytearray(builder.sign(key, hashes.SHA256()).public_bytes(DER))
        if knob == "wrong-signature":  # the signature is what stands last
            signed[-1] ^= 1
        return bytes(signed)


class Handler(http.server.BaseHTTPRequestHandler):
    """Strict about methods and media types."""

    protocol_version = "HTTP/1.1"
    revocation = None

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        print(f"{self.command} {self.path} {args[1] if len(args) > 1 else ''}", flush=True)

    def send(self, status, data, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        state = self.revocation.state
        with state.lock:
            knob = state.setting("crl", None)
            state.count("lists" if self.path == "/crl" else "issuers")
            if self.path == "/issuer":
                self.send(200, state.authority.certificate.public_bytes(DER))
            elif self.path != "/crl" or knob == "missing":
                self.send(404, b"")
            elif knob == "text":
                self.send(200, b"<html>no list</html>")
            elif knob == "redirect":
                self.send(302, b"", {"Location": "file:///etc/passwd"})
            elif knob == "oversize":
                self.send_response(200)
                self.send_header("Content-Length", str(1 << 40))
                self.end_headers()
                self.close_connection = True
            else:
                self.send(200, self.revocation.crl(knob))

    def do_POST(self):
        state = self.revocation.state
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        with state.lock:
            knob = state.setting("ocsp", None)
            state.count("questions")
            if self.path != "/ocsp" or knob == "missing":
                self.send(404, b"")
            elif self.headers.get("Content-Type") != "application/ocsp-request":
                self.send(415, b"")
            elif knob == "text":
                self.send(200, b"<html>no answer</html>")
            else:
                self.send(200, self.revocation.answer(body, knob), {"Content-Type": "application/ocsp-response"})
