# SPDX-License-Identifier: LGPL-2.1-or-later
"""The side of a web service that takes Kerberos (SPNEGO, RFC 4559) bound to TLS (RFC 5929).

Needs Debian's python3-gssapi. MIT Kerberos says by a flag whether the client has bound its token to
the channel; a token with another binding it refuses by itself.
"""

import base64
import binascii
import os
import tempfile

import gssapi
from cryptography import x509
from cryptography.hazmat.primitives import hashes

CHANNEL_BOUND = 2048  # GSS_C_CHANNEL_BOUND_FLAG
DELEGATION = 1  # GSS_C_DELEG_FLAG


class Refused(Exception):
    """The request is to be answered with 401 and these headers WWW-Authenticate."""

    def __init__(self, why, *challenges):
        super().__init__(why)
        self.challenges = challenges or ("Negotiate",)


def binding(certificate_pem):
    """What tls-server-end-point binds to, of the first certificate of a PEM file's bytes."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    digest = certificate.signature_hash_algorithm
    if digest is None or isinstance(digest, (hashes.MD5, hashes.SHA1)):
        digest = hashes.SHA256()
    return b"tls-server-end-point:" + certificate.fingerprint(digest)


def challenge(token):
    return "Negotiate" + (" " + base64.b64encode(token).decode() if token else "")


class Accepted:
    """Who asks, and the token that proves the service to them."""

    def __init__(self, context, token):
        self.principal = str(context.initiator_name)
        self.flags = int(context.actual_flags)
        self.is_bound = bool(self.flags & CHANNEL_BOUND)
        self.challenge = challenge(token)


class Negotiator:
    """Checks the header Authorization of each request anew.

    keytab: of the service. demand_binding: refuses clients that do not bind, as extended protection
    does where it is required.
    """

    def __init__(self, keytab, demand_binding=True):
        folder = tempfile.mkdtemp(prefix="replays-")
        os.environ["KRB5RCACHENAME"] = f"file2:{folder}/replays"
        self.credentials = gssapi.Credentials(usage="accept", store={"keytab": f"FILE:{keytab}"})
        self.demand_binding = demand_binding

    def check(self, authorization, channel, demand_binding=None):
        """Accepted, or raises Refused. authorization: the header or None; channel: binding()."""
        scheme, _, encoded = (authorization or "").partition(" ")
        if scheme.lower() != "negotiate":
            raise Refused("no token of Negotiate")
        try:
            token = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise Refused(f"the token is no base64: {error}") from error
        context = gssapi.SecurityContext(
            creds=self.credentials, usage="accept",
            channel_bindings=gssapi.raw.ChannelBindings(application_data=channel))
        answer = None
        try:
            # With a token for the client, what is wrong is said only by the next call.
            answer = context.step(token)
            is_complete = context.complete
        except gssapi.exceptions.GSSError as error:
            raise Refused(str(error), challenge(answer)) from error
        if not is_complete:
            raise Refused("the token does not complete the exchange", challenge(answer))
        accepted = Accepted(context, answer)
        if (self.demand_binding if demand_binding is None else demand_binding) and not accepted.is_bound:
            raise Refused("the token is not bound to the channel")
        return accepted
