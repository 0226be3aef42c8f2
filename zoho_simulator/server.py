"""The socket: HTTP/1.1 with keep-alive on 127.0.0.1, a thread per connection."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from zoho_simulator.messages import Answer, Request, Wire

LARGEST_BODY = 1 << 20
PIECES = 20  # in which a slow body is sent
PAUSE = 0.02  # seconds before a reset, which would overtake what was sent just now


class Server:
	"""A running HTTP server, answering with `serve`."""

	def __init__(self, serve: Callable[[Request], Answer], port: int) -> None:
		self._serve = serve
		self._changing = threading.RLock()
		self._returning: threading.Timer | None = None
		self._listen(port)

	def _listen(self, port: int) -> None:
		self._http = _Http(("127.0.0.1", port), _Handler)
		self._http.serve_request = self._serve
		self.port: int = self._http.server_address[1]
		self._thread = threading.Thread(
			target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
		)

	def start(self) -> None:
		self._thread.start()

	def stop(self) -> None:
		"""Close the port and every connection that is open."""
		with self._changing:
			if self._returning:
				self._returning.cancel()
				self._returning = None
			else:
				self._close()

	def go_away(self, seconds: float) -> None:
		"""Close the port and every connection, and open the port again after `seconds`."""
		with self._changing:
			if not self._returning:
				self._close()
				self._returning = threading.Timer(seconds, self.come_back)
				self._returning.daemon = True
				self._returning.start()

	def come_back(self) -> None:
		"""Open the port again, if it was closed by `go_away`."""
		with self._changing:
			if self._returning:
				self._returning.cancel()
				self._returning = None
				self._listen(self.port)
				self.start()

	def _close(self) -> None:
		self._http.shutdown()
		self._http.server_close()
		self._http.hang_up()
		self._thread.join()


class _Http(ThreadingHTTPServer):
	daemon_threads = True
	block_on_close = False
	request_queue_size = 128
	serve_request: Callable[[Request], Answer]

	def __init__(self, *args: object) -> None:
		self._open: set[socket.socket] = set()
		self._open_lock = threading.Lock()
		super().__init__(*args)  # type: ignore[arg-type]

	def process_request(self, request: socket.socket, client_address: object) -> None:
		with self._open_lock:
			self._open.add(request)
		super().process_request(request, client_address)  # type: ignore[arg-type]

	def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
		with self._open_lock:
			self._open.discard(request)
		super().shutdown_request(request)

	def hang_up(self) -> None:
		with self._open_lock:
			for connection in self._open:
				with contextlib.suppress(OSError):
					connection.shutdown(socket.SHUT_RDWR)

	def handle_error(self, request: object, client_address: object) -> None:
		"""Stay silent when a client went away; anything else is a defect and is printed."""
		if not isinstance(sys.exc_info()[1], OSError):
			super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
	protocol_version = "HTTP/1.1"
	disable_nagle_algorithm = True
	server: _Http

	def do_GET(self) -> None:
		length = int(self.headers.get("Content-Length") or 0)
		if length > LARGEST_BODY or "Transfer-Encoding" in self.headers:
			self.close_connection = True
			self._write(Answer(413))
			return
		target = urlsplit(self.path)
		request = Request(
			method=self.command,
			path=target.path,
			query=parse_qsl(target.query, keep_blank_values=True),
			headers={name.lower(): value for name, value in self.headers.items()},
			body=self.rfile.read(length) if length else b"",
		)
		try:
			answer = self.server.serve_request(request)
		except (
			Exception
		):  # a defect of the simulator: shown to who runs it, and never taken for a planned fault
			traceback.print_exc()
			answer = Answer(500, b"the simulator failed", "text/plain")
		if answer.wire:
			self._write_badly(answer, answer.wire)
		else:
			self._write(answer)

	do_POST = do_GET

	def _head(self, answer: Answer) -> bytes:
		lines = [
			f"HTTP/1.1 {answer.status} {_phrase(answer.status)}",
			f"Date: {formatdate(usegmt=True)}",
			"Server: ZGS",
			f"Content-Type: {answer.content_type}",
			f"Content-Length: {len(answer.body)}",
			*(f"{name}: {value}" for name, value in answer.headers.items()),
		]
		if self.close_connection:
			lines.append("Connection: close")
		return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

	def _write(self, answer: Answer) -> None:
		self.wfile.write(self._head(answer) + answer.body)

	def _write_badly(self, answer: Answer, wire: Wire) -> None:
		self.close_connection = wire.kind != "slow"
		if wire.kind in ("reset", "cut"):
			if wire.kind == "cut":
				self.wfile.write(self._head(answer) + answer.body[: int(len(answer.body) * wire.share)])
				time.sleep(PAUSE)
			# Lingering for no time turns the close into a reset.
			self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
			self.connection.close()
		elif wire.kind == "hang":
			time.sleep(wire.seconds)
		elif wire.kind == "truncate":
			self.wfile.write(self._head(answer) + answer.body[: int(len(answer.body) * wire.share)])
		elif wire.kind == "slow":
			self.wfile.write(self._head(answer))
			step = max(1, -(-len(answer.body) // PIECES))
			for start in range(0, len(answer.body), step):
				time.sleep(wire.seconds / PIECES)
				self.wfile.write(answer.body[start : start + step])

	def log_message(self, format: str, *args: object) -> None:
		"""Log nothing: a request line may hold a secret."""


def _phrase(status: int) -> str:
	try:
		return HTTPStatus(status).phrase
	except ValueError:
		return "Unknown"
