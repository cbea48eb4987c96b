# SPDX-License-Identifier: LGPL-2.1-or-later
"""The token endpoint of tests/servers/entra: the OAuth 2.0 client credentials grant of the Microsoft identity platform."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import time
import urllib.parse
import uuid

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 600
WORDS = {
    900144: "The request body must contain the following parameter: '{}'.",
    90002: "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
    70003: "The app requested an unsupported grant type '{}'.",
    70011: "The provided value for the input parameter 'scope' is not valid. The scope {} is not valid.",
    700016: "Application with identifier '{}' was not found in the directory 'Example'. This can happen if the application "
            "has not been installed by the administrator of the tenant.",
    7000215: "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
             "the client secret ID, for a secret added to app '{}'.",
    7000222: "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys.",
    50027: "JWT token is invalid or malformed.",
    700024: "Client assertion is not within its valid time range.",
    700027: "The certificate with identifier used to sign the client assertion is not registered on application.",
    50013: "Assertion failed signature validation.",
}


class TokenError(Exception):
    def __init__(self, status, error, code, detail="", headers=None):
        super().__init__(code)
        self.status, self.error, self.code, self.detail, self.headers = status, error, code, detail, headers or {}

    def body(self):
        trace, now = str(uuid.uuid4()), time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
        return {"error": self.error, "error_codes": [self.code], "timestamp": now, "trace_id": trace,
                "correlation_id": trace, "error_uri": f"https://login.example/error?code={self.code}",
                "error_description": f"AADSTS{self.code}: {WORDS.get(self.code, 'It fails.').format(self.detail)}\r\n"
                                     f"Trace ID: {trace}\r\nCorrelation ID: {trace}\r\nTimestamp: {now}"}


def decode(part):
    if not re.fullmatch(r"[A-Za-z0-9_-]+", part):
        raise TokenError(400, "invalid_request", 50027)
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise TokenError(400, "invalid_request", 50027) from error


class Tokens:
    """Gives tokens to the one application, and knows them again."""

    def __init__(self, options, state):
        self.options, self.state = options, state
        self.issued, self.seen = {}, set()
        self.certificate = None
        if options.client_certificate:
            with open(options.client_certificate, "rb") as file:
                self.certificate = x509.load_pem_x509_certificate(file.read())

    def grant(self, path, kind, text):
        """The answer to a POST of a form to a path."""
        match = re.fullmatch(r"/([^/]+)/oauth2/v2\.0/token", path)
        if not match or kind != "application/x-www-form-urlencoded":
            raise TokenError(404 if not match else 400, "invalid_request", 900144, "grant_type")
        if match.group(1) not in (self.options.tenant, self.options.domain):
            raise TokenError(400, "invalid_request", 90002, match.group(1))
        try:
            pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, strict_parsing=True)
        except ValueError as error:
            raise TokenError(400, "invalid_request", 900144, "client_id") from error
        form = dict(pairs)
        if len(form) != len(pairs):
            raise TokenError(400, "invalid_request", 900144, "client_id")
        self.check(form, match.group(1))
        return self.make()

    def check(self, form, tenant):
        proof = {"client_secret"} if "client_secret" in form else {"client_assertion", "client_assertion_type"}
        for name in {"client_id", "scope", "grant_type"} | proof:
            if name not in form:
                raise TokenError(400, "invalid_request", 900144, name)
        if set(form) != {"client_id", "scope", "grant_type"} | proof:
            raise TokenError(400, "invalid_request", 900144, "only what is documented")
        if form["grant_type"] != "client_credentials":
            raise TokenError(400, "unsupported_grant_type", 70003, form["grant_type"])
        if form["scope"] != f"https://localhost:{self.options.api_port}/.default":
            raise TokenError(400, "invalid_scope", 70011, form["scope"])
        if form["client_id"] != self.options.client_id:
            raise TokenError(400, "unauthorized_client", 700016, form["client_id"])
        if "client_secret" in form:
            self.check_secret(form["client_secret"])
        else:
            self.check_assertion(form, tenant)

    def check_secret(self, secret):
        if not hmac.compare_digest(secret.encode(), self.options.client_secret.encode()):
            raise TokenError(401, "invalid_client", 7000215, self.options.client_id)
        if self.state.setting("secret-expired", False):
            raise TokenError(401, "invalid_client", 7000222, self.options.client_id)
        self.state.count("by-secret")

    def check_assertion(self, form, tenant):
        parts = form["client_assertion"].split(".")
        if form["client_assertion_type"] != ASSERTION_TYPE or len(parts) != 3:
            raise TokenError(400, "invalid_request", 50027)
        try:
            header, claims = (json.loads(decode(part)) for part in parts[:2])
        except ValueError as error:
            raise TokenError(400, "invalid_request", 50027) from error
        self.check_signature(header, ".".join(parts[:2]).encode(), decode(parts[2]))
        self.check_claims(claims, tenant)
        self.state.count("by-certificate")

    def check_signature(self, header, signed, signature):
        der = self.certificate.public_bytes(serialization.Encoding.DER) if self.certificate else b""
        thumbprint = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
        if set(header) != {"alg", "typ", "x5t#S256"} or header["typ"] != "JWT" or header["alg"] not in ("PS256", "RS256"):
            raise TokenError(400, "invalid_request", 50027)
        if header["x5t#S256"] != thumbprint:
            raise TokenError(401, "invalid_client", 700027)
        pad = padding.PKCS1v15() if header["alg"] == "RS256" else padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        try:
            self.certificate.public_key().verify(signature, signed, pad, hashes.SHA256())
        except InvalidSignature as error:
            raise TokenError(401, "invalid_client", 50013) from error
        self.state.count(header["alg"])

    def check_claims(self, claims, tenant):
        now, audience = time.time(), f"https://localhost:{self.options.port}/{tenant}/oauth2/v2.0/token"
        if set(claims) != {"aud", "exp", "iss", "jti", "nbf", "sub", "iat"} or claims["aud"] != audience:
            raise TokenError(400, "invalid_request", 50027)
        if not claims["iss"] == claims["sub"] == self.options.client_id:
            raise TokenError(401, "invalid_client", 700027)
        if not all(isinstance(claims[name], int) for name in ("exp", "nbf", "iat")) \
                or not claims["nbf"] - 1 <= now <= claims["exp"] or claims["exp"] - claims["nbf"] > ASSERTION_SECONDS:
            raise TokenError(401, "invalid_client", 700024)
        if str(uuid.UUID(claims["jti"])) != claims["jti"] or claims["jti"] in self.seen:
            raise TokenError(400, "invalid_request", 50027)
        self.seen.add(claims["jti"])

    def make(self):
        seconds = self.state.setting("expires-in", 3599)
        token = f"eyJ0eXAiOiJKV1QifQ.{secrets.token_urlsafe(900)}.{secrets.token_urlsafe(256)}"
        self.issued[token] = time.time() + seconds
        self.state.count("tokens")
        answer = {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
        answer.update(self.state.setting("token-answer", {}))
        return {name: value for name, value in answer.items() if value is not None}

    def is_good(self, token):
        return self.issued.get(token, 0) > time.time()
