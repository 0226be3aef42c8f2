"""A client for Zoho Campaigns: sign in, read campaigns, reports and recipients.

Knows nothing of Frappe and can be used on its own; needs `requests`, `tenacity` and `python-dateutil`.
"""

from .answers import EmptyAnswer, interpret
from .client import CampaignsClient
from .data_centers import DATA_CENTERS, DataCenter, by_accounts_server, by_location
from .dates import Clock, ZohoTime, find_zone
from .errors import (
	AccountError,
	AuthenticationError,
	AuthorizationRefused,
	CampaignUnavailable,
	InvalidRequest,
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
from .oauth import SCOPES, Callback, OAuthClient, Tokens, parse_callback
from .records import (
	ACTION_COUNTERS,
	ACTION_TYPES,
	ACTIONS,
	METRICS,
	BadRecord,
	Campaign,
	CampaignDetails,
	ChildCampaign,
	Event,
	LinkClicks,
	Page,
	Recipient,
	Report,
)
from .redaction import Secret
from .transport import HTTPAnswer, Transport, redact

__all__ = [
	"ACTIONS",
	"ACTION_COUNTERS",
	"ACTION_TYPES",
	"DATA_CENTERS",
	"METRICS",
	"SCOPES",
	"AccountError",
	"AuthenticationError",
	"AuthorizationRefused",
	"BadRecord",
	"Callback",
	"Campaign",
	"CampaignDetails",
	"CampaignUnavailable",
	"CampaignsClient",
	"ChildCampaign",
	"Clock",
	"DataCenter",
	"EmptyAnswer",
	"Event",
	"HTTPAnswer",
	"InvalidRequest",
	"LinkClicks",
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
	"TokenThrottled",
	"Tokens",
	"Transport",
	"Unavailable",
	"UnknownRefusal",
	"ZohoError",
	"ZohoTime",
	"by_accounts_server",
	"by_location",
	"find_zone",
	"interpret",
	"parse_callback",
	"redact",
]
