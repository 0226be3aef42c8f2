"""The methods of the API about contacts: mailing lists, subscribers, topics, fields, and the two that write.

Zoho documents them in part. An option chooses the behaviour where sources disagree or are silent.

ref: https://www.zoho.com/campaigns/help/developers/contact-subscribe.html
ref: https://www.zoho.com/campaigns/help/developers/do-not-mail.html
ref: https://www.zoho.com/campaigns/help/developers/get-list-subscribers.html
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

from zoho_simulator.account import Account
from zoho_simulator.api_methods import CONTACT_READ, CONTACT_UPDATE, ApiError, Method, paging
from zoho_simulator.campaigns import OWNER
from zoho_simulator.contacts import (
	ACTIVE,
	BOUNCED,
	CUSTOM_FIELDS,
	DO_NOT_MAIL,
	FIELDS,
	SPAM,
	UNSUBSCRIBED,
	Contact,
	ContactBook,
	MailingList,
)
from zoho_simulator.formats import epoch_ms
from zoho_simulator.http_messages import Answer, json_answer

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}")
# Zoho takes no addresses of groups.
GROUPS = frozenset(("info", "sales", "support", "admin", "webmaster", "postmaster", "contact", "noreply"))
# Addresses in this domain are refused with code 2007.
REFUSED_DOMAIN = "refused.example"
CONFIRM = "A confirmation email is sent to the user. User needs to confirm to successfully subscribe."


class ContactsServer:
	"""Handle the methods about contacts; `methods` has them by name."""

	def __init__(self, account: Account) -> None:
		self.account = account
		pages = ("fromindex", "range", "sort")
		self.methods = {
			"getmailinglists": Method(self.mailing_lists, CONTACT_READ, (), pages),
			"getlistsubscribers": Method(self.subscribers, CONTACT_READ, ("listkey",), ("status", *pages)),
			"listsubscriberscount": Method(self.count, CONTACT_READ, ("listkey",), ("status",)),
			"topics": Method(self.topics, CONTACT_READ, (), ("details",)),
			"contact/allfields": Method(self.fields, CONTACT_READ, (), ("type",), format="type"),
			"json/listsubscribe": Method(
				self.subscribe,
				CONTACT_UPDATE,
				("listkey", "contactinfo"),
				("source", "topic_id"),
				post_only=True,
			),
			"json/contactdonotmail": Method(
				self.do_not_mail, CONTACT_UPDATE, ("contactinfo",), post_only=True
			),
		}

	@property
	def book(self) -> ContactBook:
		return self.account.contact_book

	# -- reading -------------------------------------------------------------------------------------------

	def mailing_lists(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""getmailinglists: all lists with their numbers of contacts."""
		first, size = paging(params, 20, self.account.settings.max_range)
		every = [each for each in self.book.lists.values() if not each.deleted]
		page = every[first - 1 : first - 1 + size]
		if not page:
			raise ApiError("2401")
		return {
			"status": "success",
			"code": "0",
			"requestdetails": {
				"fromindex": first,
				"range": size,
				"total_list_count": len(every),
				"sort": "desc",
			},
			"list_of_details": [self._list(each) for each in page],
		}

	def _list(self, each: MailingList) -> dict[str, Any]:
		return {
			"listkey": each.key,
			"listname": each.name,
			"listdesc": "undefined",
			"noofcontacts": str(len(self.book.listed(each.key, ACTIVE))),
			"noofunsubcnt": str(len(self.book.listed(each.key, *self._opted_out()))),
			"noofbouncecnt": str(len(self.book.listed(each.key, BOUNCED))),
			"is_public": "true" if each.signup_form else "false",
			"owner": "Acme",
			"zuid": OWNER,
			"segments": {},
			"otherslist": "false",
		}

	def subscribers(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""getlistsubscribers: one page of a list. Its end is an error, as at Zoho."""
		each, settings = self._live_list(params["listkey"], "2501"), self.account.settings
		first, size = paging(params, 20, settings.subscribers_max_range)
		listed = self.book.listed(each.key, *self._states(params.get("status", "active"), spam=False))
		page = listed[first - 1 : first - 1 + size]
		if not page:
			raise ApiError("2502")
		return {
			"status": "success",
			"code": "0",
			"requestdetails": {"fromindex": first, "range": size, "status": params.get("status", "active")},
			"list_of_details": [self._row(self.book.resolve(item)) for item in page],
		}

	def _row(self, contact: Contact) -> dict[str, str]:
		settings, values = self.account.settings, contact.fields
		row = {
			"contact_email": contact.email,
			"firstname": values.get("First Name", ""),
			"lastname": values.get("Last Name", ""),
			"companyname": values.get("Company Name", ""),
			"phone": values.get("Phone", ""),
			"added_time": epoch_ms(contact.added_at, settings.skew_hours),
			"zuid": OWNER,
		}
		if settings.custom_values:
			for name, _zohos, kind, *_rest in CUSTOM_FIELDS:
				if name in values:
					row[name.lower()] = self._custom_value(kind, values[name])
		return row

	def _custom_value(self, kind: str, value: str) -> str:
		if kind != "date" or self.account.settings.custom_dates == "kept":
			return value
		try:
			return date.fromisoformat(value).strftime("%m/%d/%Y")
		except ValueError:
			return value

	def count(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""listsubscriberscount: the number of contacts of a list with a status."""
		each = self._live_list(params["listkey"], "2501")
		states = self._states(params.get("status", "active"), spam=True)
		return {
			"status": "success",
			"code": "0",
			"no_of_contacts": len(self.book.listed(each.key, *states)),
		}

	def topics(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""topics: a page of topics, whose position is JSON in `details`."""
		try:
			place = json.loads(params.get("details") or "{}")
			first, size = int(place.get("from_index", 1)), int(place.get("range", 20))
		except (ValueError, AttributeError):
			raise ApiError("1001") from None
		rows = [
			{"topicId": key, "topicName": name, "topicDesc": "", "primaryList": 0}
			for key, name in self.book.topics.items()
		]
		return {"code": "0", "message": "success", "topicDetails": rows[first - 1 : first - 1 + size]}

	def fields(self, params: dict[str, str], as_json: bool) -> Answer | dict[str, Any]:
		"""contact/allfields: the fields of contacts, in one of two shapes."""
		rows = [
			{
				"DISPLAY_NAME": name,
				"FIELD_DISPLAY_NAME": name,
				"FIELD_NAME": zohos,
				"FIELD_ID": str(9001 + number),
				"IS_MANDATORY": "true" if name == "Contact Email" else "false",
				"UITYPE": kind,
				"MAXLENGTH": str(longest),
				**({"values": ";".join(options)} if options else {}),
			}
			for number, (name, zohos, kind, longest, options) in enumerate(FIELDS)
		]
		nested = self.account.settings.allfields_shape == "nested"
		inner = {"fieldnames": {"fieldname": rows}} if nested else {"fieldname": rows}
		payload = {"response": {**inner, "uri": "/api/v1.1/contact/allfields", "version": "1.1"}}
		return json_answer(payload) if as_json else inner

	def _states(self, status: str, spam: bool) -> tuple[str, ...]:
		states = {
			"active": (ACTIVE,),
			"recent": (ACTIVE,),
			"mostrecent": (ACTIVE,),
			"unsub": self._opted_out(),
			"bounce": (BOUNCED,),
			**({"spam": (SPAM,)} if spam else {}),
		}
		if status not in states:
			raise ApiError("1001")
		return states[status]

	def _opted_out(self) -> tuple[str, ...]:
		listed = self.account.settings.unsub_lists_do_not_mail
		return (UNSUBSCRIBED, DO_NOT_MAIL) if listed else (UNSUBSCRIBED,)

	def _live_list(self, key: str, unknown: str) -> MailingList:
		found = self.book.lists.get(key)
		if not found:
			raise ApiError(unknown)
		if found.deleted:
			raise ApiError(self.account.settings.deleted_list_code)
		return found

	# -- writing -------------------------------------------------------------------------------------------

	def do_not_mail(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""json/contactdonotmail: nobody mails this contact any more. A success has no status."""
		settings, book = self.account.settings, self.book
		email, _fields = self._contact_info("json/contactdonotmail", params)
		if not ADDRESS.fullmatch(email):
			raise ApiError("2004")
		with book.world.lock:
			contact = book.find(email)
			if not contact and settings.do_not_mail_unknown == "2103":
				raise ApiError("2103")
			contact = contact or book.new(email)
			if contact.state == DO_NOT_MAIL:
				return {"code": "0", "message": "User already in Do-Not-Mail."}
			contact.state = DO_NOT_MAIL
			contact.pending.clear()
			book.keep(contact)
			if settings.opt_out_mails:
				book.opt_out_mails[email.lower()] += 1
			if settings.api_opt_outs:
				book.show_opt_out(email)
		return {"code": "0", "message": "User successfully moved to Do-Not-Mail."}

	def subscribe(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""json/listsubscribe: add a contact to a list, or update the fields of one that is in it."""
		settings, book = self.account.settings, self.book
		each = self._live_list(params["listkey"], "2501")
		email, fields = self._contact_info("json/listsubscribe", params)
		self._require_address(email)
		topics = {topic for topic in params.get("topic_id", "").split(",") if topic}
		if topics - book.topics.keys():
			raise ApiError("1001")
		if not topics and settings.sole_topic and len(book.topics) == 1:
			topics = set(book.topics)
		values = self._values(fields)
		with book.world.lock:
			contact = book.find(email)
			if not contact:
				if settings.contact_limit and book.count() >= settings.contact_limit:
					raise ApiError(settings.contact_limit_code)
				contact = book.new(email)
			if contact.state != ACTIVE:
				return self._subscribe_again(contact, each, topics)
			contact.fields |= values
			contact.topics |= topics
			book.keep(contact)
			if each.key in contact.lists:
				return _success("User already exists in the list.")
			return self._join(contact, each, confirm=each.signup_form)

	def _subscribe_again(self, contact: Contact, each: MailingList, topics: set[str]) -> dict[str, Any]:
		"""Answer for somebody who has opted out or bounced, as the options say."""
		settings, book = self.account.settings, self.book
		bounced = contact.state == BOUNCED
		does = settings.subscribe_bounced if bounced else settings.subscribe_opted_out
		if does in ("2006", "2007"):
			raise ApiError(does)
		if does == "confirmation":
			return self._join(contact, each, confirm=True)
		if does == "resubscribes":
			book.resubscriptions[contact.email.strip().lower()] += 1
			contact.state = ACTIVE
			contact.topics |= topics
			return self._join(contact, each, confirm=False)
		return _success("User already exists in the list.")

	def _join(self, contact: Contact, each: MailingList, confirm: bool) -> dict[str, Any]:
		"""Add a contact to a list, or mail a confirmation first."""
		if confirm:
			contact.pending.add(each.key)
			self.book.confirmation_mails[contact.email.strip().lower()] += 1
			self.book.keep(contact)
			return _success(CONFIRM)
		contact.lists.add(each.key)
		self.book.keep(contact)
		return _success("User successfully subscribed.")

	def _contact_info(self, method: str, params: dict[str, str]) -> tuple[str, dict[str, str]]:
		"""Return e-mail and fields of `contactinfo`, and count the call."""
		try:
			fields = json.loads(params["contactinfo"])
			email = str(fields.pop("Contact Email")).strip()
		except (ValueError, AttributeError, KeyError, TypeError):
			raise ApiError("2001") from None
		self.book.count_call(method, email)
		return email, {name: str(value) for name, value in fields.items()}

	def _require_address(self, email: str) -> None:
		if not ADDRESS.fullmatch(email):
			raise ApiError("2004")
		local, _at, domain = email.lower().rpartition("@")
		if local in GROUPS:
			raise ApiError("2005")
		if domain == REFUSED_DOMAIN:
			raise ApiError("2007")

	def _values(self, fields: dict[str, str]) -> dict[str, str]:
		"""Return the values that are stored, as the options say."""
		settings, declared = self.account.settings, {name: rest for name, *rest in FIELDS}
		stored = {}
		for name, value in fields.items():
			if name not in declared:
				if settings.unknown_fields != "ignored":
					raise ApiError(settings.unknown_fields)
				continue
			_zohos, _kind, longest, options = declared[name]
			if len(value) > longest:
				if settings.long_values == "refused":
					raise ApiError("1001")
				value = value[:longest] if settings.long_values == "cut" else value
			if options and value not in options and settings.other_options == "dropped":
				continue
			stored[name] = value
		return stored


def _success(message: str) -> dict[str, Any]:
	return {"message": message, "status": "success", "code": "0"}
