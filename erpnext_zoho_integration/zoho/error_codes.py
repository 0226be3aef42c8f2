"""Zoho's error codes: which say empty, limit reached, try again, no right, gone, or a bug of this client."""

from collections.abc import Mapping
from typing import Final

# The error codes of each endpoint that mean "nothing there".
EMPTY: Final[Mapping[str, frozenset[str]]] = {
	"recentcampaigns": frozenset({"6101"}),
	# This endpoint takes no campaign key, so its codes for a wrong key mean "no sent campaigns".
	"recentsentcampaigns": frozenset({"6101", "3001", "6002"}),
	"getcampaignrecipientsdata": frozenset({"6302", "6303", "6501"}),
	"getmailinglists": frozenset({"2401"}),
	"getlistsubscribers": frozenset({"2203", "2502"}),
	"getsegmentdetails": frozenset({"2602", "2604"}),
	"getsegmentcontacts": frozenset({"2602", "2604", "2706"}),
}
CONTACT_LISTS: Final = frozenset({"getcampaignrecipientsdata", "getlistsubscribers", "getsegmentcontacts"})
CAMPAIGN_ENDPOINTS: Final = frozenset({"campaignreports", "getcampaigndetails", "getcampaignrecipientsdata"})

LIMIT_CODES: Final = frozenset({"2008", "409909"})
TRANSIENT: Final = frozenset(
	{"500", "2001", "2101", "2201", "2402", "2601", "2707", "6001", "6610", "7002"},
)
ACCOUNT: Final = frozenset({"901", "902", "910", "914", "916"})
PERMISSION: Final = frozenset({"2701", "2704", "2706", "6304", "6601", "6607"})
GONE: Final = frozenset({"2203", "2206", "3001", "6002", "6301", "6302", "6503"})
BUG: Final = frozenset({"400", "404", "903", "1001", "1002", "1003", "1004", "1005", "1006"})
