# SPDX-License-Identifier: LGPL-2.1-or-later
"""The web enrollment (/certsrv) of tests/servers/ms-cs: forms and pages, strict about what it takes.

Its pages have the form of Windows', in the language of the knob "language" ("en", "de", "ja"). Further knobs: fail-fetch
(the certificate's page has a status of 500), page (HTML in place of the answer to a request for a certificate). Its part
in "count": issue-posts, status-posts (mode chkpnd), fetches (certnew.cer).
"""

import base64
import binascii
import re
import urllib.parse
from html import escape

import ms_cs_soap as soap
from ms_cs_ca import find_user
from ms_cs_services import Enrollment
from cryptography import x509

NEW_FIELDS = {"Mode", "CertRequest", "CertAttrib", "FriendlyType", "TargetStoreFlags", "SaveCert"}
PENDING_FIELDS = {"Mode", "ReqID", "TargetStoreFlags", "SaveCert"}

TEXTS = {
    "en": {"title": "Microsoft Active Directory Certificate Services", "pending": "Certificate Pending",
           "wait": "Your certificate request has been received.", "number": "Your Request Id is {}.",
           "note": "Note: You must return with this web browser within 10 days",
           "issued": "The certificate you requested was issued to you.",
           "denied": "Your certificate request was denied.", "words": 'The disposition message is "{}".',
           "failed": "An unexpected error has occurred:"},
    "de": {"title": "Microsoft Active Directory-Zertifikatdienste", "pending": "Zertifikat ausstehend",
           "wait": "Ihre Zertifikatanforderung wurde empfangen.", "number": "Ihre Anforderungs-ID lautet {}.",
           "note": "Hinweis: Sie müssen innerhalb von 10 Tagen mit diesem Webbrowser zurückkehren",
           "issued": "Das angeforderte Zertifikat wurde für Sie ausgestellt.",
           "denied": "Ihre Zertifikatanforderung wurde verweigert.", "words": "Die Meldung lautet: „{}“.",
           "failed": "Ein unerwarteter Fehler ist aufgetreten:"},
    "ja": {"title": "Microsoft Active Directory 証明書サービス", "pending": "保留中の証明書",
           "wait": "証明書の要求は受信されました。", "number": "要求 ID は {} です。",
           "note": "注意: 10 日以内にこの Web ブラウザーで戻る必要があります",
           "issued": "要求した証明書が発行されました。", "denied": "証明書の要求は拒否されました。",
           "words": '処理メッセージは "{}" です。', "failed": "予期しないエラーが発生しました:"},
}


def page(texts, *lines):
    """HTML with these paragraphs (HTML), between what stands on each page."""
    body = "".join(f"<P> {line} </P>\n" for line in lines)
    return (f"<HTML>\n<Head><Title>{texts['title']}</Title>\n<Style>P {{ margin: 12 }}</Style></Head>\n"
            f"<Body><!-- \"old\" pages: 0x80070005 --><Table><TR><TD><B><I>{texts['title']}</I></B> &nbsp;--&nbsp; "
            f"Contoso Issuing CA 1</TD><TD><A Href=\"/certsrv\"><B>Home</B></A></TD></TR></Table>\n{body}"
            "<Script Language=\"JavaScript\">var sText=\"7. \";</Script></Body></HTML>\n")


class Form:
    """A request as the forms have it, in the parts that the CA looks at."""

    def __init__(self, fields):
        text = fields["CertRequest"].replace("\r\n", "\n")
        found = re.fullmatch(r"-----BEGIN CERTIFICATE REQUEST-----\n(.*)\n-----END CERTIFICATE REQUEST-----\n?", text, re.S)
        try:
            self.token = base64.b64decode((found.group(1) if found else text).replace("\n", ""), validate=True)
        except binascii.Error as error:
            raise soap.CaFault(0x8007000D, "The data is invalid.") from error
        try:
            x509.load_der_x509_csr(self.token)
            self.type = soap.PKCS10
        except ValueError:
            self.type = soap.PKCS7
        attributes = fields["CertAttrib"]
        found = re.fullmatch(r"CertificateTemplate:([^\r\n:]+)\r\n", attributes)
        if not found:
            raise soap.Refusal(500, "<html>the attributes are wrong</html>")
        self.template = found.group(1)


class Web(Enrollment):
    """What is behind /certsrv; the answers are pages."""

    def __init__(self, state, user):
        super().__init__(state, user, None)
        self.texts = TEXTS[state.setting("language", "en")]

    def post(self, fields):
        try:
            return self.finish(fields)
        except soap.CaFault as fault:
            return self.refused(fault)

    def finish(self, fields):
        if fields.get("Mode") == "chkpnd" and set(fields) == PENDING_FIELDS:
            self.state.count("status-posts")
            return self.status(fields["ReqID"])
        if fields.get("Mode") != "newreq" or set(fields) != NEW_FIELDS or fields["TargetStoreFlags"] != "0" or \
                fields["SaveCert"] != "yes" or fields["FriendlyType"] != "Saved-Request Certificate":
            raise soap.Refusal(500, "<html>the fields are wrong</html>")
        form = Form(fields)
        return self.enter(form, self.check_template(form))

    def check_template(self, form):
        def check(record):
            if form.template not in (record.template.name, record.template.oid):
                raise soap.CaFault(0x80094802, "The request contains conflicting template information.")
        return check

    def answer(self, number, certificate):
        link = f"certnew.cer?ReqID={number}&Enc=b64"
        script = f"<Script Language=\"JavaScript\">function go() {{ location=\"certnew.cer?ReqID={number}&\"+e(); }}</Script>"
        return page(self.texts, self.texts["issued"], f"<A Href=\"{link}\">Download certificate</A>", script)

    def pending(self, number):
        return page(self.texts, f"<B>{self.texts['pending']}</B>", self.texts["wait"],
                    self.texts["number"].format(number), self.texts["note"])

    def refused(self, fault):
        """A request that the CA has denied, or that came to no CA."""
        if 0x80094000 <= fault.hresult <= 0x80094FFF and fault.hresult != 0x80094004:
            number = fault.request_id or self.state.last_id + 1
            words = escape(f"Denied by Policy Module  {fault.hresult:#010x}, {fault.message}", quote=False)
            return page(self.texts, self.texts["denied"], self.texts["number"].format(number) + " " +
                        self.texts["words"].format(words))
        return page(self.texts, self.texts["failed"], "<TABLE><TR><TD>Result:</TD><TD>"
                    f"{escape(fault.message)} {fault.hresult:#010x} (WIN32: {fault.hresult & 0xffff})</TD></TR>"
                    "<TR><TD>LastStatus:</TD><TD>0x0 (WIN32: 0)</TD></TR></TABLE>")

    def fetch(self, number, agent):
        """(Content-Type, what is given) for certnew.cer."""
        self.state.count("fetches")
        kept = self.state.requests.get(number)
        if not kept or kept["record"].submitter is not self.user:
            return "text/html", self.refused(soap.CaFault(0x80094004, "The requested property value is empty."))
        if "certificate" not in kept and kept.get("decision") == "issue":
            self.issued(number, kept)
        if "certificate" not in kept or not agent.startswith("Mozilla/"):
            return "text/html", page(self.texts, self.texts["failed"], "Taken Under Submission")
        if self.state.knob("no-leaf"):
            return "text/html", page(self.texts, self.texts["failed"])
        return "application/pkix-cert", kept["certificate"]["pem"].replace("\n", "\r\n")


def basic_user(header, password):
    """The account that a header of Basic names, if the password is right."""
    scheme, _, encoded = (header or "").partition(" ")
    try:
        name, _, given = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return find_user(name) if scheme == "Basic" and given == password else None


def read_form(kind, data):
    if kind != "application/x-www-form-urlencoded":
        raise soap.Refusal(415, "<html>Unsupported Media Type</html>")
    try:
        pairs = urllib.parse.parse_qsl(data.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except (UnicodeDecodeError, ValueError) as error:
        raise soap.Refusal(400, "<html>Bad Request</html>") from error
    if len(dict(pairs)) != len(pairs):
        raise soap.Refusal(400, "<html>Bad Request</html>")
    return dict(pairs)


def answer(handler, user, data):
    """(Content-Type, text) for a request under /certsrv; data is None for a GET."""
    state = handler.state
    name, _, query = handler.path[len("/certsrv/"):].partition("?")
    web = Web(state, user)
    if data is None and name == "certcarc.asp":
        return "text/html", page(web.texts, "<Script>var nRenewals=0;</Script>")
    if data is None and name == "certnew.cer":
        fields = dict(urllib.parse.parse_qsl(query))
        if fields.get("Enc") not in ("b64", "bin") or set(fields) != {"ReqID", "Enc"}:
            raise soap.Refusal(500, "<html>the fields are wrong</html>")
        if state.knob("fail-fetch"):
            raise soap.Refusal(500, "<html>It fails</html>")
        with state.lock:
            return web.fetch(fields["ReqID"], handler.headers.get("User-Agent", ""))
    if data is None or name != "certfnsh.asp":
        raise soap.Refusal(404, "<html>404 - File or directory not found.</html>")
    fields = read_form(handler.headers.get("Content-Type"), data)
    handler.operation = "status" if fields.get("Mode") == "chkpnd" else "issue"
    plan = handler.planned_failure()
    if plan and not plan.get("done"):
        return "text/html", planned(handler, web, plan)
    with state.lock:
        text = web.post(fields)
    if plan:
        return "text/html", planned(handler, web, plan)
    return "text/html", state.knob("page", text)


def planned(handler, web, plan):
    try:
        handler.fail_as_planned(plan)
    except soap.CaFault as fault:
        return web.refused(fault)
