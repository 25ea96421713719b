"""Registries for tests: Debian's docker-registry on a free port, and in front of it one that behaves as ECR's does.

The front asks for a token, lets it expire in the middle of things, and notes each request by the name that Amazon ECR
gives to it.
"""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.runner.engines.containers import docker

USER, PASSWORD = "tester", "correct horse"
# `htpasswd -B` of that password: the only kind of hash that the registry takes.
HTPASSWD = "tester:$2b$04$c8LqAnWYAaAZ27Ta5U2hnOZqvWLgxMeSyw/f2Wr0oht3uvn1DPZMi\n"
EXPIRED = {"code": "DENIED", "message": "Your authorization token has expired. Reauthenticate and try again."}


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve_registry(folder: Path, *, with_password: bool = False) -> Iterator[str]:
    """Run docker-registry with its data below `folder`; yields its host name."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    lines = [
        "version: 0.1",
        "log: {level: error, accesslog: {disabled: true}}",
        f"storage: {{filesystem: {{rootdirectory: {folder / 'data'}}}, delete: {{enabled: true}}}}",
        f"http: {{addr: '127.0.0.1:{port}'}}",
    ]
    if with_password:
        (folder / "htpasswd").write_text(HTPASSWD, encoding="ascii")
        lines.append(f"auth: {{htpasswd: {{realm: kit, path: {folder / 'htpasswd'}}}}}")
    (folder / "config.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log)
        try:
            _wait_for(port, folder / "log")
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)
            shutil.rmtree(folder / "data", ignore_errors=True)  # real images are large


def _wait_for(port: int, log: Path, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not _answers(port):
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def serve_other_engine() -> Iterator[str]:
    """Run a second Docker engine, which shares nothing with the first: another host. Yields its DOCKER_HOST.

    Raises:
        OSError: no engine could be started here; its log is in the message.
    """
    folder = Path(tempfile.mkdtemp(prefix="kit-", dir="/tmp"))  # short: a socket's path has at most 107 characters
    address = f"unix://{folder / 'docker.sock'}"
    own = [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
    # Without a bridge of its own the second engine would remove the first one's (docker0) as it starts.
    network = docker("network", "create", folder.name)
    alone = ["--bridge", f"br-{network[:12]}", "--iptables=false", "--ip6tables=false"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(["dockerd", *own, *alone, "--host", address], stdout=log, stderr=log)
        try:
            _wait_for_engine(server, address, folder / "log")
            yield address
        finally:
            server.terminate()
            server.wait(60)
            shutil.rmtree(folder, ignore_errors=True)
            docker("network", "rm", folder.name)


def _wait_for_engine(server: subprocess.Popen[bytes], address: str, log: Path, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while subprocess.run(["docker", "--host", address, "info"], capture_output=True).returncode:
        if server.poll() is not None or time.monotonic() > end:
            raise OSError(f"no second Docker engine: {log.read_text(errors='replace')[-500:]}")
        time.sleep(0.2)


class Front:
    """What stands before the registry: the tokens it takes, the requests it saw, and what it changes."""

    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.token = "token-1"
        self.actions: list[str] = []
        self.expires_before: Callable[[str, str], bool] = lambda method, path: False
        self.forged: dict[str, bytes] = {}

    def expired(self, method: str, path: str, authorization: str) -> bool:
        """Is the token that came with a request one that was valid once?"""
        if self.expires_before(method, path):
            self.token, self.expires_before = "token-2", lambda method, path: False
        return authorization != _basic(self.token)


@contextmanager
def serve_front(behind: str) -> Iterator[tuple[str, Front]]:
    """Run a front before a registry; yields its host name and its state."""
    front = Front(behind)

    class Handler(_Handler):
        state = front

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", front
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Front

    def _serve(self) -> None:
        body = self._body()
        authorization = self.headers.get("Authorization", "")
        if not authorization:
            self._answer(401, {"Www-Authenticate": 'Basic realm="kit"'}, b"{}")
        elif self.state.expired(self.command, self.path, authorization):
            self._answer(403, {"Content-Type": "application/json"}, json.dumps({"errors": [EXPIRED]}).encode())
        else:
            self.state.actions += [action] if (action := ecr_action(self.command, self.path)) else []
            self._forward(body)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815

    def _forward(self, body: bytes) -> None:
        behind = http.client.HTTPConnection(self.state.behind, timeout=60)
        try:
            behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():  # one by one: an engine sends several of the name Accept
                if name.lower() not in ("authorization", "transfer-encoding", "content-length"):
                    behind.putheader(name, value)
            behind.putheader("Content-Length", str(len(body)))
            behind.endheaders(body)
            answer = behind.getresponse()
            content = self.state.forged.get(self.path) or answer.read()
            kept = {name: value for name, value in answer.getheaders()
                    if name.lower() not in ("content-length", "transfer-encoding")}  # fmt: skip
            length = answer.getheader("Content-Length") if self.command == "HEAD" else None
            self._answer(answer.status, kept, content, length)
        finally:
            behind.close()

    def _answer(self, status: int, headers: dict[str, str], content: bytes, length: str | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def ecr_action(method: str, path: str) -> str | None:
    """The action that Amazon ECR checks for a request of an engine; None for one that needs none.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html says of each action which step of a
    push or pull it is for; https://github.com/opencontainers/distribution-spec has the steps' requests.
    """
    where = path.partition("?")[0]
    if "/manifests/" in where:
        return "ecr:PutImage" if method == "PUT" else "ecr:BatchGetImage"
    if "/blobs/uploads" in where:
        known = {"POST": "InitiateLayerUpload", "PATCH": "UploadLayerPart", "PUT": "CompleteLayerUpload"}
        return f"ecr:{known[method]}"
    if "/blobs/" in where:
        return "ecr:BatchCheckLayerAvailability" if method == "HEAD" else "ecr:GetDownloadUrlForLayer"
    return None


def _basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"AWS:{token}".encode()).decode()
