"""HTTP: requests, retries, time-outs, sizes, and no secret in an error or a log."""

import gzip
import logging
import threading
import traceback
from email.utils import formatdate
from urllib.parse import urlsplit

import pytest

from erpnext_zoho_integration.zoho import (
	MalformedAnswer,
	PageTooLarge,
	RateLimited,
	Secret,
	Transport,
	Unavailable,
	ZohoError,
)
from erpnext_zoho_integration.zoho.transport import raise_for_status
from tests.unit.zoho.stub_server import Reply, closed_port

SECRET = "1000.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"


@pytest.fixture
def pauses():
	return []


@pytest.fixture
def transport(pauses):
	return Transport(sleep=pauses.append, read_timeout=5)


def as_it_is(answer):
	"""Return an answer, or raise if its status says "not now"."""
	raise_for_status(answer, "x")
	return answer


def get(transport, server, **kwargs):
	return transport.exchange("GET", server.url + "/api/v1.1/x", as_it_is, endpoint="x", **kwargs)


def test_a_request_carries_its_parameters_headers_and_nothing_else(transport, server):
	server.say({"a": "ü"})
	headers = {"Authorization": "Zoho-oauthtoken t"}
	answer = get(transport, server, params={"resfmt": "JSON", "range": "2"}, headers=headers)
	request = server.requests[0]
	assert (request.method, request.path) == ("GET", "/api/v1.1/x")
	assert request.query == {"resfmt": "JSON", "range": "2"}
	assert request.body == ""
	assert request.headers["authorization"] == "Zoho-oauthtoken t"
	assert request.headers["user-agent"] == "erpnext-zoho-integration"
	assert (answer.status, answer.text) == (200, '{"a": "ü"}')


def test_a_form_goes_into_the_body(transport, server):
	server.say({})
	transport.exchange("POST", server.url + "/token", as_it_is, endpoint="token", data={"code": "a b&c"})
	request = server.requests[0]
	assert request.form == {"code": "a b&c"}
	assert request.query == {}
	assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_body_is_utf_8_even_if_the_header_says_otherwise(transport, server):
	server.say(Reply("Zürich 🎉", headers={"Content-Type": "text/plain; charset=iso-8859-1"}))
	assert get(transport, server).text == "Zürich 🎉"


def test_a_broken_byte_is_replaced(transport, server):
	server.say(b'{"a": "x\xff"}')
	assert get(transport, server).text == '{"a": "x\ufffd"}'


def test_a_compressed_body_is_read(transport, server):
	server.say(Reply(gzip.compress(b"x" * 100_000), headers={"Content-Encoding": "gzip"}))
	assert get(transport, server).body == b"x" * 100_000


def test_a_connection_is_used_again(transport, server):
	server.say({}, {}, {})
	for _ in range(3):
		get(transport, server)
	assert {request.connection for request in server.requests} == {1}


def test_cookies_are_not_kept(transport, server):
	server.say(Reply({}, headers={"Set-Cookie": "org=1; Path=/"}), {})
	get(transport, server)
	get(transport, server)
	assert "cookie" not in server.requests[1].headers


def test_a_netrc_file_does_not_replace_the_token(transport, server, tmp_path, monkeypatch):
	netrc = tmp_path / "netrc"
	netrc.write_text("machine 127.0.0.1 login somebody password else\n")
	netrc.chmod(0o600)
	monkeypatch.setenv("NETRC", str(netrc))
	server.say({})
	get(transport, server, headers={"Authorization": "Zoho-oauthtoken t"})
	assert server.requests[0].headers["authorization"] == "Zoho-oauthtoken t"


def test_a_proxy_of_the_environment_is_used_except_for_no_proxy_hosts(transport, server, monkeypatch):
	monkeypatch.setenv("HTTP_PROXY", server.url)
	monkeypatch.setenv("NO_PROXY", "127.0.0.1")
	server.say({}, {}, {}, {})
	for _ in range(2):
		transport.exchange("GET", "http://zoho.test/x", as_it_is, endpoint="x")
		get(transport, server)
	hosts = [request.headers["host"] for request in server.requests]
	assert hosts == ["zoho.test", urlsplit(server.url).netloc] * 2


TRUNCATED = Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
TRUNCATED_CHUNK = Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
NO_ANSWER = Reply(raw=b"")
BAD_GZIP = Reply(b"no gzip", headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize(
	"failure",
	[
		Reply(status=500),
		Reply(status=502),
		Reply(status=503),
		Reply(status=408),
		TRUNCATED,
		TRUNCATED_CHUNK,
		NO_ANSWER,
		BAD_GZIP,
	],
)
def test_a_temporary_failure_is_retried(failure, transport, server, pauses):
	server.say(failure, failure, {"ok": 1})
	assert get(transport, server).text == '{"ok": 1}'
	assert (len(server.requests), len(pauses)) == (3, 2)
	assert transport.calls == 3


@pytest.mark.parametrize("failure", [Reply("<html>", status=503), TRUNCATED, NO_ANSWER])
def test_a_request_fails_after_four_attempts(failure, transport, server):
	server.say(*[failure] * 9)
	with pytest.raises(Unavailable):
		get(transport, server)
	assert len(server.requests) == 4


def test_pauses_grow_and_differ(server, pauses):
	server.say(*[Reply(status=503)] * 6)
	with pytest.raises(Unavailable):
		get(Transport(sleep=pauses.append, attempts=6), server)
	for nth, pause in enumerate(pauses):
		assert 0.5 * 2**nth <= pause <= 0.5 * 2**nth + 0.5
	assert len({pause - 0.5 * 2**nth for nth, pause in enumerate(pauses)}) > 1


def test_a_failed_connection_is_retried_even_if_the_request_must_not_arrive_twice(transport):
	url = f"http://127.0.0.1:{closed_port()}/"
	with pytest.raises(Unavailable) as caught:
		transport.exchange("POST", url, as_it_is, endpoint="token", retry=False)
	assert transport.calls == 4
	assert caught.value.sent is False


@pytest.mark.parametrize("failure", [Reply(status=503), TRUNCATED, NO_ANSWER])
def test_a_request_that_must_not_arrive_twice_does_not(failure, transport, server):
	server.say(failure, {})
	with pytest.raises(Unavailable):
		get(transport, server, retry=False)
	assert len(server.requests) == 1


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404])
def test_other_answers_come_back_as_they_are(status, transport, server):
	server.say(Reply("text", status=status))
	assert get(transport, server).status == status
	assert len(server.requests) == 1


def test_a_short_retry_after_is_obeyed(transport, server, pauses):
	server.say(
		Reply(status=429, headers={"Retry-After": "7"}), Reply(status=503, headers={"Retry-After": "3"}), {}
	)
	assert get(transport, server).status == 200
	assert pauses == [7.0, 3.0]


def test_retry_after_may_be_a_date(server, pauses):
	past = Reply(status=429, headers={"Retry-After": formatdate(0, usegmt=True)})
	server.say(past, {})
	get(Transport(sleep=pauses.append), server)
	assert pauses == [0.0]


@pytest.mark.parametrize(
	"headers, seconds", [({}, 1800), ({"Retry-After": "900"}, 900), ({"Retry-After": "soon"}, 1800)]
)
def test_a_long_limit_is_raised_at_once(headers, seconds, transport, server, pauses):
	server.say(Reply(status=429, headers=headers))
	with pytest.raises(RateLimited) as caught:
		get(transport, server)
	assert caught.value.retry_after == seconds
	assert caught.value.endpoint == "x"
	assert (len(server.requests), pauses) == (1, [])


def test_a_long_maintenance_is_raised_at_once(transport, server, pauses):
	server.say(Reply(status=503, headers={"Retry-After": "600"}))
	with pytest.raises(Unavailable) as caught:
		get(transport, server)
	assert (caught.value.retry_after, pauses) == (600, [])


def test_a_redirect_is_not_followed(server, pauses):
	server.answer = lambda _: Reply(status=302, headers={"Location": "https://evil.example/?x=secret"})
	with pytest.raises(MalformedAnswer) as caught:
		get(Transport(sleep=pauses.append), server, headers={"Authorization": SECRET})
	assert "evil.example" in str(caught.value)
	assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_times_out(server):
	release = threading.Event()

	def silent(_):
		release.wait(30)
		return Reply({})

	server.answer = silent
	try:
		with pytest.raises(Unavailable, match="time-out"):
			get(Transport(read_timeout=0.1, attempts=1), server)
	finally:
		release.set()


def test_a_very_slow_answer_times_out(server):
	now = iter(range(0, 1000, 50))
	chunks = b"".join(b"1\r\nx\r\n" for _ in range(3))
	server.say(Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"))
	transport = Transport(total_timeout=90, attempts=1, clock=lambda: next(now))
	with pytest.raises(Unavailable, match="not complete after 90 s"):
		get(transport, server)


def test_an_answer_without_end_is_cut_off(server, pauses):
	server.say(b"x" * 1001)
	with pytest.raises(PageTooLarge):
		get(Transport(sleep=pauses.append, max_body=1000), server)
	server.say(Reply(gzip.compress(b"x" * 1_000_000), headers={"Content-Encoding": "gzip"}))
	with pytest.raises(PageTooLarge):
		get(Transport(sleep=pauses.append, max_body=100_000), server)
	assert pauses == []


def test_before_call_is_asked_before_every_attempt(server):
	asked = []
	server.say(Reply(status=503), {})
	get(Transport(sleep=lambda _: None, before_call=asked.append), server)
	assert asked == ["x", "x"]


def test_before_call_can_refuse_and_then_nothing_is_sent(server, pauses):
	def refuse(endpoint):
		raise RateLimited("budget used up", 1.0, endpoint=endpoint)

	with pytest.raises(RateLimited, match="budget"):
		get(Transport(sleep=pauses.append, before_call=refuse), server)
	assert (server.requests, pauses) == ([], [])


def test_a_temporary_error_of_the_reader_is_retried(transport, server):
	def read(answer):
		if "later" in answer.text:
			raise Unavailable("later")
		return answer.text

	server.say("later", "later", "now")
	assert transport.exchange("GET", server.url, read, endpoint="x") == "now"


def test_a_final_error_of_the_reader_is_not_retried(transport, server):
	def read(answer):
		raise ZohoError("no")

	server.say({}, {})
	with pytest.raises(ZohoError, match="no"):
		transport.exchange("GET", server.url, read, endpoint="x")
	assert len(server.requests) == 1


def shown(error):
	"""Return everything that an error report can show: the chain and the local variables of every frame."""
	seen, texts = set(), []
	while error and id(error) not in seen:
		seen.add(id(error))
		texts += traceback.format_exception_only(type(error), error)
		for frame, _ in traceback.walk_tb(error.__traceback__):
			if frame.f_globals["__name__"] != __name__:
				texts += [f"{name}={value!r}" for name, value in frame.f_locals.items()]
		error = error.__cause__ or error.__context__
	return "\n".join(texts)


@pytest.mark.parametrize("failure", [Reply(status=503), TRUNCATED, NO_ANSWER, None, "header"])
def test_no_secret_in_an_error_its_frames_or_the_log(failure, server, caplog):
	caplog.set_level(logging.DEBUG)
	url = server.url if isinstance(failure, Reply) else f"http://127.0.0.1:{closed_port()}"
	server.say(*[failure] * 2)
	token = SECRET + ("\n" if failure == "header" else "")
	with pytest.raises(ZohoError) as caught:
		Transport(sleep=lambda _: None, attempts=2).exchange(
			"POST",
			f"{url}/token",
			as_it_is,
			endpoint="token",
			data={"client_secret": Secret("hush-hush-0123456789")},
			headers={"Authorization": Secret(f"Zoho-oauthtoken {token}")},
		)
	for text in (shown(caught.value), caplog.text):
		assert SECRET not in text
		assert "hush-hush" not in text


def test_retries_are_logged(transport, server, caplog):
	server.say(Reply(status=503), {})
	get(transport, server)
	assert "attempt 1 failed" in caplog.text
	assert "HTTP 503" in caplog.text
