"""Errors tell the caller what to do and can be pickled."""

import pickle

import pytest

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.zoho import ZohoError

ACTIONS = {
	zoho.AuthenticationError: "stop",
	zoho.AccountError: "stop",
	zoho.PermissionDenied: "stop",
	zoho.InvalidRequest: "stop",
	zoho.PageTooLarge: "stop",
	zoho.OAuthError: "stop",
	zoho.AuthorizationRefused: "stop",
	zoho.ReauthorizationRequired: "stop",
	zoho.RateLimited: "wait",
	zoho.Unavailable: "wait",
	zoho.TokenThrottled: "wait",
	zoho.CampaignUnavailable: "skip",
	zoho.RecordUnavailable: "skip",
	zoho.MalformedAnswer: "skip",
	zoho.PagingError: "skip",
	zoho.UnknownRefusal: "skip",
}


@pytest.mark.parametrize("kind", ACTIONS)
def test_every_error_says_what_the_caller_should_do(kind):
	error = kind("something")
	assert error.action == ACTIONS[kind]
	assert isinstance(error, ZohoError)


@pytest.mark.parametrize("kind", ACTIONS)
def test_errors_survive_the_way_to_another_process(kind):
	error = kind("lost", endpoint="recentcampaigns")
	error.status = 503
	again = pickle.loads(pickle.dumps(error))
	assert type(again) is kind
	assert str(again) == str(error) == "recentcampaigns: lost (HTTP 503)"


def test_an_error_names_endpoint_code_and_status():
	error = zoho.CampaignUnavailable("gone", endpoint="campaignreports", code="6301", status=200)
	assert str(error) == "campaignreports: gone (code 6301, HTTP 200)"
	assert (error.endpoint, error.code, error.status) == ("campaignreports", "6301", 200)
