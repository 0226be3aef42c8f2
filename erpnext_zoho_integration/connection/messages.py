"""What an error of Zoho means to the person who reads it, and what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager

import frappe
from frappe import _

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.errors import NotConnected


def explain(error: Exception) -> str:
	"""Return a translated sentence for an error of the `zoho` package: what happened and what to do.

	The texts that Zoho itself sent follow in brackets where they help; they are redacted by the `zoho` package.
	"""
	for kind, text in _texts():
		if isinstance(error, kind):
			return _with_answer(text, error)
	return _with_answer(_("Zoho could not be asked."), error)


@contextmanager
def explained_errors() -> Iterator[None]:
	"""Turn an error of the `zoho` package, or a missing connection, into one that Frappe shows to the user."""
	title = _("Zoho Campaigns")
	try:
		yield
	except NotConnected as error:
		frappe.throw(frappe.utils.escape_html(str(error)), NotConnected, title=title)
	except zoho.ZohoError as error:
		frappe.throw(frappe.utils.escape_html(explain(error)), title=title)


def _texts() -> list[tuple[type[Exception] | tuple[type[Exception], ...], str]]:
	"""The more special kind stands before the more general one."""
	return [
		(zoho.ReauthorizationRequired, _reauthorize()),
		(
			zoho.AuthorizationRefused,
			_("Zoho did not grant access. Click Authorize with Zoho again and accept the consent page."),
		),
		(
			zoho.TokenThrottled,
			_("Zoho has been asked for tokens too often. Wait at least ten minutes, then try again."),
		),
		(
			zoho.AuthenticationError,
			_(
				"Zoho refuses the access token: the data centre is wrong, the scope ZohoCampaigns.campaign.READ is missing, or access was revoked. Click Authorize with Zoho again."
			),
		),
		(
			zoho.RateLimited,
			_("Zoho's limit of calls has been reached. The sync goes on by itself when Zoho answers again."),
		),
		(
			(zoho.AccountError, zoho.PermissionDenied),
			_(
				"The connected Zoho account may not read this. Check that it is active, belongs to an organisation in Zoho Campaigns and has the rights to its reports."
			),
		),
		(
			zoho.RecordUnavailable,
			_("Zoho no longer has this campaign, or it has not been sent yet."),
		),
		(zoho.Unavailable, _("Zoho cannot be reached or is not answering. Try again in some minutes.")),
		(
			(zoho.MalformedAnswer, zoho.PagingError),
			_(
				"Zoho answered with something that is not its data. Try again in some minutes; if it stays, report it."
			),
		),
		(
			zoho.ZohoError,
			_("Zoho refused the request."),
		),
	]


def _reauthorize() -> str:
	return _(
		"Zoho no longer accepts this site's authorization: the code has expired or was used before, the client ID or secret is wrong, the data centre is not the account's, or access was revoked. Check Zoho Settings and click Authorize with Zoho."
	)


# Zoho's own words, or a proxy's, end in views of which some insert text as HTML.
_MARKUP = str.maketrans({"<": "‹", ">": "›"})


def _with_answer(text: str, error: Exception) -> str:
	answer = str(error).strip().translate(_MARKUP)
	return f"{text} [{answer}]" if answer else text
