"""Explains errors of the `zoho` package to the user: what happened and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import frappe
from frappe import _

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.errors import NotConnected, ScopesMissing, WritingStopped
from erpnext_zoho_integration.connection.zoho_rate_limit import BudgetUsedUp


def explain(error: Exception) -> str:
	"""Return a translated sentence for an error of the `zoho` package: what happened and what to do.

	Zoho's own text follows in brackets; the `zoho` package has redacted it.
	"""
	for kind, text in _texts():
		if isinstance(error, kind):
			return _with_answer(text, error)
	return _with_answer(_("The request to Zoho failed."), error)


@contextmanager
def explained_errors() -> Iterator[None]:
	"""Turn an error of the `zoho` package or of the connection into one that Frappe shows to the user."""
	title = _("Zoho Campaigns")
	try:
		yield
	except (NotConnected, ScopesMissing, WritingStopped) as error:
		frappe.throw(frappe.utils.escape_html(str(error)), type(error), title=title)
	except BudgetUsedUp as error:
		again = frappe.utils.add_to_date(frappe.utils.now_datetime(), seconds=int(error.seconds) + 1)
		frappe.throw(
			_("The calls to Zoho that are possible now are used up. Try again at {0}.").format(
				frappe.utils.format_datetime(again)
			),
			title=title,
		)
	except zoho.ZohoError as error:
		frappe.throw(frappe.utils.escape_html(explain(error)), title=title)


def _texts() -> list[tuple[type[Exception] | tuple[type[Exception], ...], str]]:
	"""Return the text for each kind of error; special kinds come before general ones."""
	return [
		(zoho.ReauthorizationRequired, _reauthorize()),
		(
			zoho.AuthorizationRefused,
			_("Zoho did not grant access. Click Authorize with Zoho again and accept the consent page."),
		),
		(
			zoho.TokenThrottled,
			_("Zoho's limit for token requests has been reached. Wait at least ten minutes, then try again."),
		),
		(
			zoho.AuthenticationError,
			_(
				"Zoho rejects the access token. Either the data centre is wrong, the scope ZohoCampaigns.campaign.READ is missing, or access was revoked. Click Authorize with Zoho again."
			),
		),
		(
			zoho.RateLimited,
			_(
				"Zoho's call limit has been reached. The sync continues automatically when Zoho answers again."
			),
		),
		(
			zoho.ContactLimitReached,
			_("The plan of the connected Zoho account takes no more contacts."),
		),
		(
			(zoho.AccountError, zoho.PermissionDenied),
			_(
				"The connected Zoho account may not read this. Check that it is active, belongs to an organisation in Zoho Campaigns and may read its reports."
			),
		),
		(zoho.AddressRefused, _("Zoho does not take this e-mail address.")),
		(zoho.ListUnavailable, _("Zoho no longer has this mailing list.")),
		(
			zoho.RecordUnavailable,
			_("Zoho no longer has this campaign, or it has not been sent yet."),
		),
		(zoho.Unavailable, _("Zoho cannot be reached or does not answer. Try again in a few minutes.")),
		(
			(zoho.MalformedAnswer, zoho.PagingError),
			_(
				"Zoho sent an answer that cannot be read. Try again in a few minutes. If the problem persists, report it."
			),
		),
		(
			zoho.ZohoError,
			_("Zoho refused the request."),
		),
	]


def _reauthorize() -> str:
	return _(
		"Zoho does not accept this site's authorization. Either the code has expired or was used before, the Client ID or Client Secret is wrong, the data centre does not match the account, or access was revoked. Check Zoho Settings and click Authorize with Zoho."
	)


# Some views insert this text as HTML, and it comes from Zoho or a proxy.
_MARKUP = str.maketrans({"<": "‹", ">": "›"})


def _with_answer(text: str, error: Exception) -> str:
	answer = str(error).strip().translate(_MARKUP)
	return f"{text} [{answer}]" if answer else text
