"""Rows of getcampaignrecipientsdata, written directly as JSON or XML for speed.

ref: https://www.zoho.com/campaigns/help/developers/campaign-recipient-data.html
"""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from zoho_simulator.campaigns import Campaign
from zoho_simulator.formats import date_string, epoch_ms, event_string
from zoho_simulator.mailings import Mailing
from zoho_simulator.settings import SHAPES, Settings
from zoho_simulator.world import World

CONTACT_STATUS = {
	"optoutcontacts": "unsub",
	"spamcontacts": "spam",
	"senthardbounce": "bounce",
	"sentsoftbounce": "bounce",
}
# Names of fields in XML, and in JSON.
XML_FIELDS = {
	"contact_email": "contactemailaddress",
	"first_name": "contactfn",
	"last_name": "contactln",
	"company_name": "companyname",
	"phone": "phone",
}
LINKS = (
	"https://acme.example/shop?utm_source=zoho",
	"https://acme.example/a,b/list?x=1,2",
	"https://acme.example/über-uns",
	"https://acme.example/unsubscribe",
)


class RowWriter:
	"""Write the rows of one list of one mailing. `action` is Zoho's name of the list, such as "openedcontacts"."""

	def __init__(
		self, world: World, settings: Settings, campaign: Campaign, mailing: Mailing, action: str
	) -> None:
		self.world = world
		self.settings = settings
		self.campaign = campaign
		self.mailing = mailing
		self.action = action
		self.zone = settings.zone
		self._shared: dict[tuple[int, bool], str] = {}
		shape = settings.event_shapes
		self.shape = SHAPES[1 + campaign.index % (len(SHAPES) - 1)] if shape == "mixed" else shape

	def page(self, first: int, size: int) -> list[str]:
		"""Return at most `size` rows from position `first` (from 0) on, each as a JSON object."""
		return [self.row(rank) for rank in self._ranks(first, size)]

	def _ranks(self, first: int, size: int) -> list[int]:
		"""Return the ranks of the recipients on a page."""
		last = min(first + size, self.mailing.length(self.action))
		newest_first = self.settings.new_rows == "first"
		return [self.mailing.rank_at(self.action, position, newest_first) for position in range(first, last)]

	def row(self, rank: int) -> str:
		"""Return the row of the recipient with this rank as a JSON object."""
		person = self.mailing.person(rank)
		erased = self.world.is_erased(person)
		people = self.world.people
		profile = people.erased_profile(person) if erased else people.profile(person)
		sent = self.mailing.happened_at("sentcontacts", rank)
		shared = self._shared.get((sent, erased)) or self._shared_fields(sent, erased)
		return f"{{{profile},{shared}{self._action_fields(rank)}}}"

	def _shared_fields(self, sent: int, erased: bool) -> str:
		"""Return the fields that many rows share: status, time of the send, whether erased. Cache them."""
		shared = self._shared[sent, erased] = (
			f'"contactstatus":"{CONTACT_STATUS.get(self.action, "active")}",'
			f'"sent_time":"{epoch_ms(sent, self.settings.skew_hours)}","sentdate":"{date_string(sent, self.zone)}",'
			f'"rtbf":"{int(erased)}"'
		)
		return shared

	def _action_fields(self, rank: int) -> str:
		"""Return the fields that only rows of this action have, after a comma."""
		action = self.action
		if action == "openedcontacts":
			return self._events("openreports", rank, 1 + rank % 3)
		if action == "clickedcontacts":
			return self._clicks(rank) + self._events("clickreports", rank, self.mailing.clicks(rank))
		if self.settings.event_dates and action in ("senthardbounce", "sentsoftbounce", "optoutcontacts"):
			name = "optOutTime" if action == "optoutcontacts" else "bouncedDate"
			return f',"{name}":"{date_string(self.mailing.happened_at(action, rank), self.zone)}"'
		return ""

	def event_times(self, rank: int, count: int) -> list[int]:
		"""Return the times (epoch seconds, UTC) of a recipient's opens or clicks: the first, then one every 121 minutes."""
		began = self.mailing.happened_at(self.action, rank)
		return [began + nth * 7260 for nth in range(count)]

	def _events(self, name: str, rank: int, count: int) -> str:
		if self.shape == "absent":
			return ""
		times = [event_string(when, self.zone) for when in self.event_times(rank, count)]
		if self.shape == "dict":
			return f',"{name}":{{"time":"{times[0]}"}}'
		if self.shape == "java":
			return f',"{name}":"[{", ".join(f"{{time={when}}}" for when in times)}]"'
		listed = "[" + ",".join(f'{{"time":"{when}"}}' for when in times) + "]"
		return f',"{name}":{json.dumps(listed) if self.shape == "json" else listed}'

	def links(self, rank: int) -> list[tuple[str, int]]:
		"""Return the links that a recipient clicked, each with its number of clicks."""
		clicks = self.mailing.clicks(rank)
		first = (rank + self.campaign.index) % len(LINKS)
		if clicks == 1:
			return [(LINKS[first], 1)]
		return [(LINKS[first], clicks - 1), (LINKS[(first + 1) % len(LINKS)], 1)]

	def _clicks(self, rank: int) -> str:
		links = self.links(rank)
		urls = ", ".join(url for url, _count in links)
		text = f',"clickcount":"{self.mailing.clicks(rank)}","clickedurls":"[{urls}]"'
		if self.shape == "absent":
			return text
		listed = "[" + ",".join(f'{{"url":"{url}","count":"{count}"}}' for url, count in links) + "]"
		if self.shape == "dict" and len(links) == 1:
			listed = listed[1:-1]
		return (
			f'{text},"urlclicks":{json.dumps(listed, ensure_ascii=False) if self.shape == "json" else listed}'
		)

	def xml_page(self, first: int, size: int) -> str:
		"""Return the rows of a page as XML, whose names and nesting differ from JSON; "" if there are none."""
		contacts = "".join(map(self._xml_contact, self._ranks(first, size)))
		return f"<contacts>{contacts}</contacts>" if contacts else ""

	def _xml_contact(self, rank: int) -> str:
		row = json.loads(self.row(rank))
		fields = {xml: row.get(name, "") for xml, name in XML_FIELDS.items()}
		fields |= {name: row[name] for name in ("bouncedDate", "optOutTime") if name in row}
		inside = "".join(f'<fl val="{name}">{escape(value)}</fl>' for name, value in fields.items())
		if self.action in ("openedcontacts", "clickedcontacts"):
			count = self.mailing.clicks(rank) if self.action == "clickedcontacts" else 1 + rank % 3
			times = (event_string(when, self.zone) for when in self.event_times(rank, count))
			reports = "".join(f'<report><fl val="time">{when}</fl></report>' for when in times)
			inside += f"<reports>{reports}</reports>"
		return f"<contact>{inside}</contact>"


def envelope(action: str, first: int, size: int) -> dict[str, Any]:
	"""Return the fields of a successful answer besides its rows."""
	return {
		"requestdetails": {"range": size, "action": action, "fromindex": first},
		"status": "success",
		"code": "0",
		"uri": "/api/v1.1/getcampaignrecipientsdata",
		"version": "1.1",
	}
