"""The table of Zoho's data centres: the only place where a Zoho host name is written.

The accounts servers are documented at https://www.zoho.com/accounts/protocol/oauth/multi-dc.html. The
Campaigns hosts were seen to answer in all regions but `uk` and `ae`. A Campaigns host cannot be derived from
the `api_domain` of a token answer: that is Zoho's general gateway, which does not serve Campaigns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class DataCenter:
	"""One region of Zoho.

	Attributes:
		code: Zoho's code for it, as in `location` of the OAuth callback.
		name: The name that users see.
		accounts_url: Origin of the accounts server, which issues tokens.
		campaigns_url: Origin of the Campaigns API.
		api_domain: The `api_domain` of this region's token answers; None if unknown.
	"""

	code: str
	name: str
	accounts_url: str
	campaigns_url: str
	api_domain: str | None


def _data_center(code: str, name: str, domain: str, *, api: str | None = None) -> DataCenter:
	return DataCenter(
		code=code,
		name=name,
		accounts_url=f"https://accounts.{domain}",
		campaigns_url=f"https://campaigns.{domain}",
		api_domain=f"https://www.zohoapis.{api}" if api else None,
	)


DATA_CENTERS: Final[Mapping[str, DataCenter]] = MappingProxyType(
	{
		center.code: center
		for center in (
			_data_center("us", "United States", "zoho.com", api="com"),
			_data_center("eu", "Europe", "zoho.eu", api="eu"),
			_data_center("in", "India", "zoho.in", api="in"),
			_data_center("au", "Australia", "zoho.com.au", api="com.au"),
			_data_center("jp", "Japan", "zoho.jp", api="jp"),
			# campaigns.zoho.ca does not resolve.
			_data_center("ca", "Canada", "zohocloud.ca", api="ca"),
			_data_center("cn", "China", "zoho.com.cn", api="com.cn"),
			_data_center("sa", "Saudi Arabia", "zoho.sa", api="sa"),
			_data_center("uk", "United Kingdom", "zoho.uk", api="uk"),
			_data_center("ae", "United Arab Emirates", "zoho.ae"),
		)
	}
)

_BY_ACCOUNTS_URL: Final = {center.accounts_url: center for center in DATA_CENTERS.values()}


def by_location(location: str) -> DataCenter | None:
	"""Return the data centre for the `location` of a callback (`"eu"`), or None if there is none."""
	return DATA_CENTERS.get(location.strip().lower())


def by_accounts_server(url: str) -> DataCenter | None:
	"""Return the data centre whose accounts server is exactly `url`, or None.

	The client secret is sent to this server and `url` comes from a browser. Therefore nothing is normalised:
	another scheme, port, path, user name or case of letters is not accepted.
	"""
	return _BY_ACCOUNTS_URL.get(url)
