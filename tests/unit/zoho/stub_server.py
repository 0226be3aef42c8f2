"""A server on loopback that sends scripted replies and records the requests."""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Reply:
	"""One scripted answer.

	Args:
		body: Bytes or a text; anything else is sent as JSON.
		status: HTTP status.
		headers: Further headers.
		raw: Bytes that are written to the socket instead of a whole answer; then the connection is closed.
	"""

	body: Any = b""
	status: int = 200
	headers: Mapping[str, str] = field(default_factory=dict)
	raw: bytes | None = None

	@property
	def payload(self) -> bytes:
		if isinstance(self.body, bytes):
			return self.body
		if isinstance(self.body, str):
			return self.body.encode()
		return json.dumps(self.body, ensure_ascii=False).encode()


@dataclass(frozen=True)
class Received:
	"""One request."""

	method: str
	path: str
	query: dict[str, str]
	headers: dict[str, str]
	body: str
	connection: int

	@property
	def form(self) -> dict[str, str]:
		return dict(parse_qsl(self.body, keep_blank_values=True))


class StubServer:
	"""Send the replies of `script` on 127.0.0.1, one a request; a request too many gets status 599.

	If `answer` is set, it computes the reply to each request instead.
	"""

	def __init__(self) -> None:
		self.requests: list[Received] = []
		self.script: list[Reply] = []
		self.answer: Callable[[Received], Reply] | None = None
		self.connections = 0
		self._lock = threading.Lock()
		server = self

		class Handler(_Handler):
			def received(self, request: Received) -> Reply:
				return server._reply(request)

			def setup(self) -> None:
				super().setup()
				with server._lock:
					server.connections += 1
					self.number = server.connections

		self._server = _Server(("127.0.0.1", 0), Handler)
		self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

	def __enter__(self) -> "StubServer":
		self._thread.start()
		return self

	def __exit__(self, *_: object) -> None:
		self._server.shutdown()
		self._server.server_close()
		self._thread.join()

	@property
	def url(self) -> str:
		return f"http://127.0.0.1:{self._server.server_address[1]}"

	def say(self, *replies: Reply | Any) -> None:
		"""Append replies to the script; anything but a `Reply` becomes the body of one."""
		self.script += [reply if isinstance(reply, Reply) else Reply(reply) for reply in replies]

	def _reply(self, request: Received) -> Reply:
		with self._lock:
			self.requests.append(request)
			if self.answer:
				return self.answer(request)
			return self.script.pop(0) if self.script else Reply("not in the script", 599)


class _Server(ThreadingHTTPServer):
	daemon_threads = True

	def handle_error(self, *_: object) -> None:
		"""Print nothing: in some tests the client closes the connection early."""


class _Handler(BaseHTTPRequestHandler):
	protocol_version = "HTTP/1.1"
	number = 0

	def received(self, request: Received) -> Reply:
		raise NotImplementedError

	def _serve(self) -> None:
		length = int(self.headers.get("Content-Length") or 0)
		parts = urlsplit(self.path)
		reply = self.received(
			Received(
				method=self.command,
				path=parts.path,
				query=dict(parse_qsl(parts.query, keep_blank_values=True)),
				headers={name.lower(): value for name, value in self.headers.items()},
				body=self.rfile.read(length).decode(),
				connection=self.number,
			)
		)
		if reply.raw is not None:
			self.wfile.write(reply.raw)
			self.close_connection = True
			return
		payload = reply.payload
		self.send_response(reply.status)
		for name, value in {"Content-Length": str(len(payload)), **reply.headers}.items():
			self.send_header(name, value)
		self.end_headers()
		self.wfile.write(payload)

	do_GET = do_POST = _serve

	def log_message(self, *_: object) -> None:
		pass


def closed_port() -> int:
	"""Return a port on 127.0.0.1 on which no server listens."""
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return int(probe.getsockname()[1])
