"""The calls that change something at Zoho.

They are in a class of their own, so that code which reads cannot write by mistake, and a writer cannot be made without
saying who permits each request.

ref: https://www.zoho.com/campaigns/help/developers/do-not-mail.html and contact-subscribe.html
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from .answers import SUCCESS, Json
from .client import PAGE_SIZE, CampaignsClient
from .contacts import Written
from .error_codes import DO_NOT_MAIL, SUBSCRIBE
from .errors import InvalidRequest, MalformedAnswer
from .redaction import Secret, redact
from .transport import Transport

# Zoho's display name of the field that identifies a contact in a write.
CONTACT_EMAIL: Final = "Contact Email"
# "Mandatory fields are missing.": Zoho's answer if it does not read the body of a request.
_MISSING: Final = "903"


class CampaignsWriter(CampaignsClient):
	"""Read and write one Zoho Campaigns account.

	Addresses and names go into the body of a request, never into a URL, which appears in logs; and no error has them.

	Args:
		base_url: See `CampaignsClient`, as for all that is not listed here.
		may_write: Called right before every request that writes, also before a repetition. It refuses by raising.

	Attributes:
		query_endpoints: The endpoints that did not read a body (code 903), so that their parameters go into the query.
	"""

	def __init__(
		self,
		base_url: str,
		token_provider: Callable[[], str],
		transport: Transport,
		*,
		may_write: Callable[[], None],
		refresh: Callable[[str], str] | None = None,
		page_size: int = PAGE_SIZE,
	) -> None:
		super().__init__(base_url, token_provider, transport, refresh=refresh, page_size=page_size)
		self.query_endpoints: set[str] = set()
		self._may_write = may_write

	def do_not_mail(self, email: str) -> Written:
		"""Move a contact to Do-Not-Mail: no list and no campaign of the whole organisation mails it any more.

		No method of the API takes that back. A contact that is there already gives the same code 0, so the request is
		repeated after a time-out and like failures.

		Raises:
			AddressRefused: Zoho does not take this address.
			Unavailable: no usable answer after all attempts; it may have been done.
		"""
		email = Secret(email)
		return self._write(DO_NOT_MAIL, {"contactinfo": _contact(email, {})}, retry=True)

	def subscribe(
		self,
		list_key: str,
		email: str,
		fields: Mapping[str, str | None] | None = None,
		*,
		topic_ids: Iterable[str] = (),
		source: str | None = None,
		retry: bool = False,
	) -> Written:
		"""Add a contact to a mailing list, or update the fields of one that is in it. All give code 0.

		A list with a sign-up form mails a confirmation, and the contact is in the list only after the click. Nobody
		knows what Zoho does with somebody who has opted out, so never ask it for such a person.

		Args:
			list_key: `MailingList.key`.
			email: The address.
			fields: Values by display name (`ContactField.display_name`). None values are left out.
			topic_ids: Without a topic, campaigns silently skip the contact.
			source: Where the contact comes from, as Zoho shows it.
			retry: Repeat the request after a time-out and like failures. Off by default, since a request that did reach
				Zoho would mail a second confirmation. Switch it on for lists without a sign-up form, where a
				repetition changes nothing.

		Raises:
			AddressRefused: Zoho does not take this address, or it is in Do-Not-Mail (code 2006).
			ContactLimitReached: the plan of the account takes no more contacts.
			ListUnavailable: the list was deleted, or the key is wrong.
			InvalidRequest: a field does not exist, or another mistake of the caller.
			Unavailable: no usable answer; it may have been done.
		"""
		email = Secret(email)
		form = {"listkey": list_key, "contactinfo": _contact(email, fields or {})}
		topics = ",".join(topic_ids)
		if topics:
			form["topic_id"] = topics
		if source:
			form["source"] = source
		return self._write(SUBSCRIBE, form, retry=retry)

	def _write(self, endpoint: str, form: Mapping[str, str], *, retry: bool) -> Written:
		if not all(form.values()):  # else its refusal would be taken for a body that was not read
			raise InvalidRequest("a value is missing", endpoint=endpoint)
		form = {"resfmt": "JSON", **form}
		if endpoint not in self.query_endpoints:
			try:
				return self._written(endpoint, {}, form, retry)
			except InvalidRequest as error:
				if error.code != _MISSING:
					raise
		# Zoho did not read the body, so nothing was written. Then the query is the only way; it worked for years.
		written = self._written(endpoint, form, {}, retry)
		self.query_endpoints.add(endpoint)
		return written

	def _written(
		self, endpoint: str, params: Mapping[str, str], data: Mapping[str, str], retry: bool
	) -> Written:
		def read(answer: Json) -> Json:
			# An answer that says neither yes nor no may come from a proxy: it does not prove that it is done.
			if not {"code", "status"} & answer.keys():
				raise MalformedAnswer("neither a code nor a status in the answer", endpoint=endpoint)
			return answer

		answer = self._authorized(
			endpoint, params, "POST", data, retry=retry, before=self._may_write, check=read
		)
		code = str(answer.get("code", "")).strip()
		return Written(code if code in SUCCESS else "", redact(str(answer.get("message") or "")[:300]))


def _contact(email: str, fields: Mapping[str, str | None]) -> Secret:
	"""Return `contactinfo`: JSON by display name, as public clients send it. Zoho's own sample breaks on commas.

	It is empty if there is no address.
	"""
	if not email.strip():
		return Secret("")
	values = {name: value for name, value in fields.items() if value is not None and name != CONTACT_EMAIL}
	return Secret(json.dumps({**values, CONTACT_EMAIL: email}, ensure_ascii=False, separators=(",", ":")))
