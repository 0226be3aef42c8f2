"""No token, code, client secret or e-mail address shows in a message, an error or a `repr`."""

import pickle
from copy import deepcopy

import pytest

from erpnext_zoho_integration.zoho import Secret, ZohoError, redact

TOKEN = "1000.8cb99dxxxxxxxxxxxxx9be93.9b8xxxxxxxxxxxxxxxf"


@pytest.mark.parametrize(
	"text, hidden",
	[
		(f"Authorization: Zoho-oauthtoken {TOKEN}", TOKEN),
		(f"token {TOKEN} refused", TOKEN),
		("POST /token?client_secret=abcdef0123456789&x=1", "abcdef0123456789"),
		('{"access_token": "abcdefghijkl", "expires_in": 3600}', "abcdefghijkl"),
		("{'refresh_token': 'abcdefghijkl'}", "abcdefghijkl"),
		("/callback?code=abcdefghijkl0123&location=in", "abcdefghijkl0123"),
		("Authorization: Bearer abcdefghijkl0123", "abcdefghijkl0123"),
		("recipient anna.bell@example.com is bad", "anna.bell"),
		("contactinfo=%7B%22Contact+Email%22%3A%22anna.bell%40example.com%22%7D", "anna.bell"),
	],
)
def test_secrets_and_people_are_masked(text, hidden):
	assert hidden in text
	assert hidden not in redact(text)
	assert hidden not in str(ZohoError(text))
	assert hidden not in repr(ZohoError(text))


@pytest.mark.parametrize(
	"text",
	[
		'{"status": "error", "code": "6101", "message": "No campaign available in this view."}',
		"getcampaignrecipientsdata: Try again after 22 minutes. (code 2008, HTTP 400)",
		"campaign 3zabcdef0123456789abcdef0123456789 not found at 12:30",
	],
)
def test_text_without_secrets_stays_readable(text):
	assert redact(text) == text


def test_masking_twice_changes_nothing():
	once = redact(f"Zoho-oauthtoken {TOKEN} code=abcdefghijkl0123 anna@example.com")
	assert redact(once) == once


def test_a_long_text_without_spaces_is_redacted_quickly_enough_to_finish():
	# Quadratic matching would take hours here.
	assert redact("a" * 200_000 + "@").endswith("@")


def test_a_secret_is_a_text_that_does_not_show_itself():
	secret = Secret(TOKEN)
	assert f"{secret}" == secret == TOKEN
	assert TOKEN not in repr({"Authorization": secret, "form": [secret]})
	assert TOKEN not in repr(deepcopy({"a": secret}))
	assert isinstance(pickle.loads(pickle.dumps(secret)), Secret)
