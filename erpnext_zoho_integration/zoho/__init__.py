"""A client for Zoho Campaigns. It knows nothing of Frappe.

- `data_centers`: the host names of every region
- `oauth`: consent page, callback, tokens
- `client`, `paging`: the endpoints and how their lists are read page by page; `writer`: those that write
- `transport`: HTTP requests, time-outs, retries; `answers`: what an answer means
- `records`, `recipients`, `events`, `contacts`: Zoho's fields as records
- `time_calibration`: the times of an account in UTC; `dates`, `value_parsing`: single dates and values
- `errors`, `error_codes`, `redaction`: what can go wrong; secrets in messages and logs
"""

from .answers import EmptyAnswer, interpret
from .client import CampaignsClient
from .contacts import ContactField, MailingList, Subscriber, Topic, Written
from .data_centers import DATA_CENTERS, DataCenter, by_accounts_server, by_location
from .dates import ZohoTime
from .errors import (
	AccountError,
	AddressRefused,
	AuthenticationError,
	AuthorizationRefused,
	CampaignUnavailable,
	ContactLimitReached,
	InvalidRequest,
	ListUnavailable,
	MalformedAnswer,
	OAuthError,
	PageTooLarge,
	PagingError,
	PermissionDenied,
	RateLimited,
	ReauthorizationRequired,
	RecordUnavailable,
	TokenThrottled,
	Unavailable,
	UnknownRefusal,
	ZohoError,
)
from .events import Event, LinkClicks
from .oauth import (
	LIST_SCOPES,
	READING_SCOPES,
	WRITING_SCOPES,
	Callback,
	OAuthClient,
	Tokens,
	parse_callback,
	scopes_for,
	scopes_lacking,
)
from .recipients import ACTION_TYPES, ACTIONS, Recipient
from .records import (
	ACTION_COUNTERS,
	METRICS,
	BadRecord,
	Campaign,
	CampaignDetails,
	ChildCampaign,
	Page,
	Report,
)
from .redaction import Secret, redact
from .time_calibration import Clock, find_zone
from .transport import HTTPAnswer, Transport
from .writer import CampaignsWriter

__all__ = [
	"ACTIONS",
	"ACTION_COUNTERS",
	"ACTION_TYPES",
	"DATA_CENTERS",
	"LIST_SCOPES",
	"METRICS",
	"READING_SCOPES",
	"WRITING_SCOPES",
	"AccountError",
	"AddressRefused",
	"AuthenticationError",
	"AuthorizationRefused",
	"BadRecord",
	"Callback",
	"Campaign",
	"CampaignDetails",
	"CampaignUnavailable",
	"CampaignsClient",
	"CampaignsWriter",
	"ChildCampaign",
	"Clock",
	"ContactField",
	"ContactLimitReached",
	"DataCenter",
	"EmptyAnswer",
	"Event",
	"HTTPAnswer",
	"InvalidRequest",
	"LinkClicks",
	"ListUnavailable",
	"MailingList",
	"MalformedAnswer",
	"OAuthClient",
	"OAuthError",
	"Page",
	"PageTooLarge",
	"PagingError",
	"PermissionDenied",
	"RateLimited",
	"ReauthorizationRequired",
	"Recipient",
	"RecordUnavailable",
	"Report",
	"Secret",
	"Subscriber",
	"TokenThrottled",
	"Tokens",
	"Topic",
	"Transport",
	"Unavailable",
	"UnknownRefusal",
	"Written",
	"ZohoError",
	"ZohoTime",
	"by_accounts_server",
	"by_location",
	"find_zone",
	"interpret",
	"parse_callback",
	"redact",
	"scopes_for",
	"scopes_lacking",
]
