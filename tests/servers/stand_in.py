# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the stand-ins for certification authorities share: knobs, counters, and how an answer fails to arrive.

A stand-in speaks HTTPS on the loopback. Its knobs and counters are at --control, a unix socket that takes one JSON
object per line:

    {"set": {"lose-answer": 1}}    knobs; a number is how often, true is always
    {"count": true}                what was done so far: requests, issued, revoked, ...
    {"clear": true}                all knobs as they were

Knobs of every stand-in: lose-answer (says nothing), cut-answer (breaks off in the answer), truncate (a whole answer,
with half of its text), html, oversize, slow, hang, redirect (URL), close-idle (ends a connection when its next request
is there), fail ({"status": 503, "retry-after": "1", "times": 2, "done": false} and what it is about).
"""

import http.server
import json
import os
import socket
import ssl
import threading
import time


class Knobs:
    """How the service behaves, and what it has done."""

    def __init__(self, counters):
        self.lock = threading.RLock()
        self.knobs = {}
        self.counts = dict.fromkeys(("requests", "connections") + tuple(counters), 0)

    def knob(self, name, default=None):
        """The value of a knob; a count is used up."""
        with self.lock:
            value = self.knobs.get(name, default)
            if isinstance(value, int) and not isinstance(value, bool) and name in self.knobs:
                self.knobs[name] = value - 1
                if value <= 1:
                    del self.knobs[name]
            return value

    def setting(self, name, default):
        return self.knobs.get(name, default)

    def count(self, name, by=1):
        with self.lock:
            self.counts[name] += by

    def control(self, request):
        """The answer to one line at the control socket."""
        with self.lock:
            if "set" in request:
                self.knobs.update(request["set"])
            if "clear" in request:
                self.knobs.clear()
            return self.counts

    def serve_control(self, path):
        """Answers at the control socket for good, in a thread of its own."""
        if os.path.exists(path):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        threading.Thread(target=self.answer_control, args=(listener,), daemon=True).start()

    def answer_control(self, listener):
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rw") as stream:
                for line in stream:
                    stream.write(json.dumps(self.control(json.loads(line))) + "\n")
                    stream.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    """Sends answers, or what the knobs make of them."""

    protocol_version = "HTTP/1.1"
    server_version = "stand-in"
    state = None
    kind = "application/json"  # of answers

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        print(f"{self.command} {self.path} {args[1] if len(args) > 1 else ''}", flush=True)

    def setup(self):
        super().setup()
        self.state.count("connections")

    def is_planned(self, plan):
        """Whether the knob "fail" is about this request."""
        raise NotImplementedError

    def planned_failure(self, text=b""):
        """What the knob "fail" wants for this request, if it is about it. text: its body, for "containing"."""
        with self.state.lock:
            plan = self.state.knobs.get("fail")
            if not plan or not self.is_planned(plan) or plan.get("containing", "").encode() not in text:
                return None
            plan["times"] = plan.get("times", 1) - 1
            if plan["times"] <= 0:
                del self.state.knobs["fail"]
            return plan

    def fail_to_deliver(self, status, data):
        """Whether a knob is about this answer to what was done; then it is sent as the knob says."""
        state = self.state
        if state.knob("lose-answer"):
            self.close_connection = True
        elif state.knob("hang"):
            time.sleep(state.setting("hang-seconds", 30))
            self.close_connection = True
        elif state.knob("cut-answer"):
            self.send(status, data, cut=True)
        elif state.knob("truncate"):
            self.send(status, data[:len(data) // 2])
        elif state.knob("html"):
            self.send(200, b"<html><body>Loading...</body></html>", "text/html")
        elif state.knob("oversize"):
            self.send(status, data + b" " * (5 << 20))
        elif state.knob("slow"):
            self.send(status, data, slow=True)
        elif "redirect" in state.knobs:
            self.send(307, b"", headers={"Location": state.knobs["redirect"]})
        else:
            return False
        return True

    def send(self, status, data, kind=None, headers=None, cut=False, slow=False):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", kind or self.kind)
            self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if cut:
            data = data[:len(data) // 2]
            self.close_connection = True
        if slow:
            for byte in data:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.5)
        else:
            self.wfile.write(data)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, options, handler):
        super().__init__(("127.0.0.1", options.port), handler)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(options.certificate)
        if options.client_ca:
            self.tls.load_verify_locations(options.client_ca)
            self.tls.verify_mode = ssl.CERT_REQUIRED

    def finish_request(self, request, client_address):
        """The handshake belongs to the request's thread: a client that refuses stops nobody else."""
        try:
            request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.tls.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)
        except OSError:
            pass


def add_options(parser):
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate", required=True, help="PEM of the service's TLS key and chain")
    parser.add_argument("--client-ca", help="PEM: ask for client certificates of this authority")
    parser.add_argument("--ca-out", help="write the issuing authority's certificate there, in PEM")
    parser.add_argument("--control", required=True, help="unix socket for knobs and counters")
