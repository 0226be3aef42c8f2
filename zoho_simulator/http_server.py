"""The HTTP/1.1 server on 127.0.0.1: keep-alive, one thread per connection, and failing deliveries."""

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

from zoho_simulator.http_messages import Answer, DeliveryFault, Request

LARGEST_BODY = 1 << 20  # bytes
SLOW_PIECES = 20  # pieces of a slow body
PAUSE_BEFORE_RESET = 0.02  # seconds; without it the reset overtakes the bytes sent just before


class HttpServer:
	"""Answer requests with `answer`, on `port` of 127.0.0.1; port 0 takes any free one.

	`port` is the real port once `start` has returned.
	"""

	def __init__(self, answer: Callable[[Request], Answer], port: int) -> None:
		self.port = port
		self._answer = answer
		self._lock = threading.RLock()
		self._listener: _Listener | None = None
		self._reopening: threading.Timer | None = None

	def start(self) -> None:
		"""Open the port and serve it from a thread. Raises OSError if the port is taken."""
		with self._lock:
			listener = _Listener(self._answer, self.port)
			listener.start()
			self._listener = listener
			self.port = listener.server_address[1]

	def stop(self) -> None:
		"""Close the port and every open connection."""
		with self._lock:
			if self._reopening:
				self._reopening.cancel()
				self._reopening = None
			else:
				self._close()

	def close_for(self, seconds: float) -> None:
		"""Close the port and every open connection; open the port again after `seconds`."""
		with self._lock:
			if not self._reopening:
				self._close()
				self._reopening = threading.Timer(seconds, self.reopen)
				self._reopening.daemon = True
				self._reopening.start()

	def reopen(self) -> None:
		"""Open the port again if `close_for` closed it."""
		with self._lock:
			if self._reopening:
				self._reopening.cancel()
				self._reopening = None
				self.start()

	def _close(self) -> None:
		if self._listener:
			self._listener.close()
			self._listener = None


class _Listener(ThreadingHTTPServer):
	"""An open port, with the connections accepted on it."""

	daemon_threads = True
	block_on_close = False
	request_queue_size = 128

	def __init__(self, answer: Callable[[Request], Answer], port: int) -> None:
		self.answer = answer
		self._connections: set[socket.socket] = set()
		self._lock = threading.Lock()
		super().__init__(("127.0.0.1", port), _Handler, bind_and_activate=False)
		self._thread = threading.Thread(
			target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
		)

	def start(self) -> None:
		"""Open the port and serve it. Raises OSError if the port is taken."""
		try:
			self.server_bind()
			self.server_activate()
		except OSError:
			self.server_close()
			raise
		self._thread.start()

	def close(self) -> None:
		"""Close the port and every connection."""
		self.shutdown()
		self.server_close()
		with self._lock:
			for connection in self._connections:
				with contextlib.suppress(OSError):
					connection.shutdown(socket.SHUT_RDWR)
		self._thread.join()

	def process_request(self, request: socket.socket, client_address: object) -> None:
		with self._lock:
			self._connections.add(request)
		super().process_request(request, client_address)  # type: ignore[arg-type]

	def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
		with self._lock:
			self._connections.discard(request)
		super().shutdown_request(request)

	def handle_error(self, request: object, client_address: object) -> None:
		"""Ignore a client that closed its connection; print any other error, which is a defect."""
		if not isinstance(sys.exc_info()[1], OSError):
			super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
	"""One connection: read its requests and write the answers."""

	protocol_version = "HTTP/1.1"
	disable_nagle_algorithm = True
	server: _Listener

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
			answer = self.server.answer(request)
		except Exception:
			# A defect of the simulator: print it, and answer so that no test takes it for a planned fault.
			traceback.print_exc()
			answer = Answer(500, b"the simulator failed", "text/plain")
		if answer.delivery_fault:
			self._write_faulty(answer, answer.delivery_fault)
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

	def _write_faulty(self, answer: Answer, fault: DeliveryFault) -> None:
		self.close_connection = fault.kind != "slow"
		if fault.kind in ("truncate", "cut"):
			self.wfile.write(self._head(answer) + answer.body[: int(len(answer.body) * fault.share)])
		if fault.kind == "cut":
			time.sleep(PAUSE_BEFORE_RESET)
		if fault.kind in ("reset", "cut"):
			# SO_LINGER with a time of 0 makes close() send a reset.
			self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
			self.connection.close()
		elif fault.kind == "hang":
			time.sleep(fault.seconds)
		elif fault.kind == "slow":
			self.wfile.write(self._head(answer))
			step = max(1, -(-len(answer.body) // SLOW_PIECES))
			for start in range(0, len(answer.body), step):
				time.sleep(fault.seconds / SLOW_PIECES)
				self.wfile.write(answer.body[start : start + step])

	def log_message(self, format: str, *args: object) -> None:
		"""Log nothing: a request line may hold a secret."""


def _phrase(status: int) -> str:
	try:
		return HTTPStatus(status).phrase
	except ValueError:
		return "Unknown"
