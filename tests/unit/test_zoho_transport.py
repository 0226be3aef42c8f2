"""HTTP: what leaves, what is tried again, what is given up, and that no secret shows."""

import gzip
import logging
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
from tests.unit.zoho_server import FarEnd, Reply, closed_port

SECRET = "1000.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"


@pytest.fixture
def far_end():
	with FarEnd() as server:
		yield server


@pytest.fixture
def pauses():
	return []


@pytest.fixture
def transport(pauses):
	return Transport(sleep=pauses.append, read_timeout=5)


def get(transport, far_end, **kwargs):
	return transport.send("GET", far_end.url + "/api/v1.1/x", endpoint="x", **kwargs)


def test_a_request_carries_its_parameters_headers_and_nothing_else(transport, far_end):
	far_end.say({"a": "ü"})
	headers = {"Authorization": "Zoho-oauthtoken t"}
	answer = get(transport, far_end, params={"resfmt": "JSON", "range": "2"}, headers=headers)
	request = far_end.requests[0]
	assert (request.method, request.path) == ("GET", "/api/v1.1/x")
	assert request.query == {"resfmt": "JSON", "range": "2"}
	assert request.body == ""
	assert request.headers["authorization"] == "Zoho-oauthtoken t"
	assert request.headers["user-agent"] == "erpnext-zoho-integration"
	assert (answer.status, answer.text) == (200, '{"a": "ü"}')


def test_a_form_goes_into_the_body(transport, far_end):
	far_end.say({})
	transport.send("POST", far_end.url + "/token", endpoint="token", data={"code": "a b&c"})
	request = far_end.requests[0]
	assert request.form == {"code": "a b&c"}
	assert request.query == {}
	assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_body_is_utf_8_whatever_the_header_says(transport, far_end):
	far_end.say(Reply("Zürich 🎉", headers={"Content-Type": "text/plain; charset=iso-8859-1"}))
	assert get(transport, far_end).text == "Zürich 🎉"


def test_one_broken_byte_does_not_cost_the_answer(transport, far_end):
	far_end.say(b'{"a": "x\xff"}')
	assert get(transport, far_end).text == '{"a": "x\ufffd"}'


def test_a_compressed_body_is_read(transport, far_end):
	far_end.say(Reply(gzip.compress(b"x" * 100_000), headers={"Content-Encoding": "gzip"}))
	assert get(transport, far_end).body == b"x" * 100_000


def test_a_connection_is_used_again(transport, far_end):
	far_end.say({}, {}, {})
	for _ in range(3):
		get(transport, far_end)
	assert {request.connection for request in far_end.requests} == {1}


def test_cookies_are_not_kept(transport, far_end):
	far_end.say(Reply({}, headers={"Set-Cookie": "org=1; Path=/"}), {})
	get(transport, far_end)
	get(transport, far_end)
	assert "cookie" not in far_end.requests[1].headers


def test_a_netrc_file_does_not_replace_the_token(transport, far_end, tmp_path, monkeypatch):
	netrc = tmp_path / "netrc"
	netrc.write_text("machine 127.0.0.1 login somebody password else\n")
	netrc.chmod(0o600)
	monkeypatch.setenv("NETRC", str(netrc))
	far_end.say({})
	get(transport, far_end, headers={"Authorization": "Zoho-oauthtoken t"})
	assert far_end.requests[0].headers["authorization"] == "Zoho-oauthtoken t"


def test_a_proxy_of_the_environment_is_used_for_the_hosts_that_it_is_for(transport, far_end, monkeypatch):
	monkeypatch.setenv("HTTP_PROXY", far_end.url)
	monkeypatch.setenv("NO_PROXY", "127.0.0.1")
	far_end.say({}, {}, {}, {})
	for _ in range(2):
		transport.send("GET", "http://zoho.test/x", endpoint="x")
		get(transport, far_end)
	hosts = [request.headers["host"] for request in far_end.requests]
	assert hosts == ["zoho.test", urlsplit(far_end.url).netloc] * 2


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
def test_what_passes_by_itself_is_tried_again(failure, transport, far_end, pauses):
	far_end.say(failure, failure, {"ok": 1})
	assert get(transport, far_end).text == '{"ok": 1}'
	assert (len(far_end.requests), len(pauses)) == (3, 2)
	assert transport.calls == 3
	assert transport.calls_by_endpoint == {"x": 3}


@pytest.mark.parametrize("failure", [Reply("<html>", status=503), TRUNCATED, NO_ANSWER])
def test_after_four_attempts_it_is_given_up(failure, transport, far_end):
	far_end.say(*[failure] * 9)
	with pytest.raises(Unavailable):
		get(transport, far_end)
	assert len(far_end.requests) == 4


def test_pauses_grow_and_differ(far_end, pauses):
	far_end.say(*[Reply(status=503)] * 6)
	with pytest.raises(Unavailable):
		get(Transport(sleep=pauses.append, attempts=6), far_end)
	for nth, pause in enumerate(pauses):
		assert 0.5 * 2**nth <= pause <= 0.5 * 2**nth + 0.5
	assert len({pause - 0.5 * 2**nth for nth, pause in enumerate(pauses)}) > 1


def test_no_connection_is_tried_again_even_if_the_request_must_not_arrive_twice(transport):
	url = f"http://127.0.0.1:{closed_port()}/"
	with pytest.raises(Unavailable) as caught:
		transport.send("POST", url, endpoint="token", retry=False)
	assert transport.calls == 4
	assert caught.value.sent is False


@pytest.mark.parametrize("failure", [Reply(status=503), TRUNCATED, NO_ANSWER])
def test_a_request_that_must_not_arrive_twice_does_not(failure, transport, far_end):
	far_end.say(failure, {})
	with pytest.raises(Unavailable):
		get(transport, far_end, retry=False)
	assert len(far_end.requests) == 1


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404])
def test_other_answers_come_back_as_they_are(status, transport, far_end):
	far_end.say(Reply("text", status=status))
	assert get(transport, far_end).status == status
	assert len(far_end.requests) == 1


def test_a_short_retry_after_is_obeyed(transport, far_end, pauses):
	far_end.say(
		Reply(status=429, headers={"Retry-After": "7"}), Reply(status=503, headers={"Retry-After": "3"}), {}
	)
	assert get(transport, far_end).status == 200
	assert pauses == [7.0, 3.0]


def test_retry_after_may_be_a_date(far_end, pauses):
	past = Reply(status=429, headers={"Retry-After": formatdate(0, usegmt=True)})
	far_end.say(past, {})
	get(Transport(sleep=pauses.append), far_end)
	assert pauses == [0.0]


@pytest.mark.parametrize(
	"headers, seconds", [({}, 1800), ({"Retry-After": "900"}, 900), ({"Retry-After": "soon"}, 1800)]
)
def test_a_long_limit_is_raised_at_once(headers, seconds, transport, far_end, pauses):
	far_end.say(Reply(status=429, headers=headers))
	with pytest.raises(RateLimited) as caught:
		get(transport, far_end)
	assert caught.value.retry_after == seconds
	assert caught.value.endpoint == "x"
	assert (len(far_end.requests), pauses) == (1, [])


def test_a_long_maintenance_is_raised_at_once(transport, far_end, pauses):
	far_end.say(Reply(status=503, headers={"Retry-After": "600"}))
	with pytest.raises(Unavailable) as caught:
		get(transport, far_end)
	assert (caught.value.retry_after, pauses) == (600, [])


def test_a_redirect_is_not_followed(far_end, pauses):
	far_end.answer = lambda _: Reply(status=302, headers={"Location": "https://evil.example/?x=secret"})
	with pytest.raises(MalformedAnswer) as caught:
		get(Transport(sleep=pauses.append), far_end, headers={"Authorization": SECRET})
	assert "evil.example" in str(caught.value)
	assert "secret" not in str(caught.value)


def test_a_silent_server_is_given_up(far_end):
	release = __import__("threading").Event()

	def silent(_):
		release.wait(30)
		return Reply({})

	far_end.answer = silent
	try:
		with pytest.raises(Unavailable, match="time-out"):
			get(Transport(read_timeout=0.1, attempts=1), far_end)
	finally:
		release.set()


def test_a_slow_drip_is_given_up(far_end):
	now = iter(range(0, 1000, 50))
	chunks = b"".join(b"1\r\nx\r\n" for _ in range(3))
	far_end.say(Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"))
	transport = Transport(total_timeout=90, attempts=1, clock=lambda: next(now))
	with pytest.raises(Unavailable, match="not complete after 90 s"):
		get(transport, far_end)


def test_an_answer_without_end_is_cut_off(far_end, pauses):
	far_end.say(b"x" * 1001)
	with pytest.raises(PageTooLarge):
		get(Transport(sleep=pauses.append, max_body=1000), far_end)
	far_end.say(Reply(gzip.compress(b"x" * 1_000_000), headers={"Content-Encoding": "gzip"}))
	with pytest.raises(PageTooLarge):
		get(Transport(sleep=pauses.append, max_body=100_000), far_end)
	assert pauses == []


def test_before_call_is_asked_before_every_attempt(far_end):
	asked = []
	far_end.say(Reply(status=503), {})
	get(Transport(sleep=lambda _: None, before_call=asked.append), far_end)
	assert asked == ["x", "x"]


def test_before_call_can_refuse_and_then_nothing_is_sent(far_end, pauses):
	def refuse(endpoint):
		raise RateLimited("budget used up", 1.0, endpoint=endpoint)

	with pytest.raises(RateLimited, match="budget"):
		get(Transport(sleep=pauses.append, before_call=refuse), far_end)
	assert (far_end.requests, pauses) == ([], [])


def test_what_the_reader_calls_transient_is_tried_again(transport, far_end):
	def read(answer):
		if "later" in answer.text:
			raise Unavailable("later")
		return answer.text

	far_end.say("later", "later", "now")
	assert transport.exchange("GET", far_end.url, read, endpoint="x") == "now"


def test_what_the_reader_calls_final_is_not(transport, far_end):
	def read(answer):
		raise ZohoError("no")

	far_end.say({}, {})
	with pytest.raises(ZohoError, match="no"):
		transport.exchange("GET", far_end.url, read, endpoint="x")
	assert len(far_end.requests) == 1


def shown(error):
	"""Return everything an error report can show: the chain, and the local variables of every frame."""
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
def test_no_secret_in_an_error_its_frames_or_the_log(failure, far_end, caplog):
	caplog.set_level(logging.DEBUG)
	url = far_end.url if isinstance(failure, Reply) else f"http://127.0.0.1:{closed_port()}"
	far_end.say(*[failure] * 2)
	token = SECRET + ("\n" if failure == "header" else "")
	with pytest.raises(ZohoError) as caught:
		Transport(sleep=lambda _: None, attempts=2).send(
			"POST",
			f"{url}/token",
			endpoint="token",
			data={"client_secret": Secret("hush-hush-0123456789")},
			headers={"Authorization": Secret(f"Zoho-oauthtoken {token}")},
		)
	for text in (shown(caught.value), caplog.text):
		assert SECRET not in text
		assert "hush-hush" not in text


def test_retries_are_logged(transport, far_end, caplog):
	far_end.say(Reply(status=503), {})
	get(transport, far_end)
	assert "attempt 1 failed" in caplog.text
	assert "HTTP 503" in caplog.text
