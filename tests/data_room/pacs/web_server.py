"""A small DICOMweb service on the loopback, from the standard library, that misbehaves as a test wishes."""

import http.server
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from hounsfield.data.pacs.multipart import wrapped


@dataclass
class Reply:
    """One answer."""

    status: int = 200
    kind: str = "application/dicom+json"
    body: bytes = b"[]"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """One request."""

    verb: str
    path: str
    params: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


Answering = Callable[[Asked], Reply]


@dataclass
class Service:
    """Where it is, and what it was asked."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)


def told(**values: str) -> dict[str, object]:
    """Return a match in DICOM JSON; names are tags with an underscore before."""
    return {name.removeprefix("_"): {"vr": "UI", "Value": [value]} for name, value in values.items()}


def matches(*found: dict[str, object]) -> Reply:
    """Return an answer to a search."""
    return Reply(body=json.dumps(found).encode())


def one_file(content: bytes) -> Reply:
    """Return an answer with one file."""
    body, kind = wrapped(content)
    return Reply(kind=kind, body=body)


@contextmanager
def serving(answering: Answering, *, tls: ssl.SSLContext | None = None) -> Iterator[Service]:
    """Serve on a free port of the loopback while the block lasts, encrypted where a context is given."""
    service = Service()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            asked = Asked(self.command, parts.path, parse_qs(parts.query), dict(self.headers.items()), body)
            service.asked.append(asked)
            reply = answering(asked)
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(reply.body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: object) -> None:
            """Say nothing of clients that went away."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        service.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}/rs"
        try:
            yield service
        finally:
            server.shutdown()
            thread.join(5)
