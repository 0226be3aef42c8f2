"""Answers of the Campaigns API for the stub server, and a list that it can serve page by page."""

from erpnext_zoho_integration.zoho import CampaignsClient, Transport
from tests.unit.zoho.stub_server import Reply

TOKEN = "1000.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"


def make(server, **kwargs):
	"""Return a client of the stub server that does not wait between attempts."""
	return CampaignsClient(server.url, lambda: TOKEN, Transport(sleep=lambda _: None), **kwargs)


def error(code, message=""):
	return {"status": "error", "code": code, "message": message, "uri": "/api/v1.1/x", "version": "1.1"}


def page(rows, size=None, start=1, action="openedcontacts"):
	"""Return a page of recipients as Zoho sends it."""
	details = {"action": action, "fromindex": start, **({"range": size} if size else {})}
	return {
		"requestdetails": details,
		"status": "success",
		"list_of_details": rows,
		"code": "0",
		"uri": "/api/v1.1/getcampaignrecipientsdata",
		"version": "1.1",
	}


def people(first, last):
	return [{"contactid": str(n), "contactemailaddress": f"p{n}@example.com"} for n in range(first, last + 1)]


def campaigns(first, last, **more):
	rows = [
		{"campaign_key": f"k{n}", "campaign_name": "News", "campaign_status": "Sent"}
		for n in range(first, last + 1)
	]
	envelope = {
		"status": "success",
		"code": "0",
		"recent_campaigns": rows,
		"uri": "/api/v1.1/recentcampaigns",
	}
	return {**envelope, **more}


class Lists:
	"""Answers requests for pages of `rows`; use it as `StubServer.answer`.

	Args:
		rows: The whole list.
		most: Larger pages are refused with code 6502.
		end: The answer behind the end: an error code, `empty` or `absent`.
		given: The server gives at most this many rows, without an error.
	"""

	def __init__(self, rows, most=500, end="6303", given=None):
		self.rows, self.most, self.end, self.given = rows, most, end, given

	def __call__(self, request):
		start, size = int(request.query["fromindex"]), int(request.query["range"])
		if size > self.most:
			return Reply(error("6502", "Limit given is more than the maximum."))
		rows = self.rows[start - 1 : start - 1 + min(size, self.given or size)]
		if rows:
			return Reply(page(rows, self.given or size, start))
		if self.end == "empty":
			return Reply(page([], size, start))
		if self.end == "absent":
			return Reply({"status": "success", "code": "0"})
		return Reply(error(self.end, "There are no contacts in the selected mailing list."))


def keys(pages):
	"""Return the contact ids of all recipients on these pages."""
	return [recipient.contact_id for each in pages for recipient in each.items]
