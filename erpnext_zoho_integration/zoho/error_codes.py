"""Zoho's error codes: which say empty, limit reached, try again, no right, gone, or a bug of this client.

The codes of endpoints that write are in `WRITES`; they come first, because they mean something else elsewhere.
"""

from collections.abc import Mapping
from typing import Final, Literal

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
# At endpoints that read a mailing list: its key is wrong, or the list was deleted.
LIST_ENDPOINTS: Final = frozenset({"getlistsubscribers", "listsubscriberscount"})
LIST_GONE: Final = frozenset({"2002", "2102", "2202", "2203", "2206", "2501"})
BUG: Final = frozenset({"400", "404", "903", "1001", "1002", "1003", "1004", "1005", "1006"})

Meaning = Literal["address", "list", "contact limit", "try again", "bug"]
SUBSCRIBE: Final = "json/listsubscribe"
DO_NOT_MAIL: Final = "json/contactdonotmail"
# The endpoints that write, and what a code means at each. Texts are in the user's language and do not count.
# ref: https://www.zoho.com/campaigns/help/developers/contact-subscribe.html and do-not-mail.html
WRITES: Final[Mapping[str, Mapping[str, Meaning]]] = {
	SUBSCRIBE: {
		# 2004: not an address; 2005: of a group, such as info@; 2006: in Do-Not-Mail; 2007: refused.
		"2004": "address",
		"2005": "address",
		"2006": "address",
		"2007": "address",
		"2002": "list",
		"2102": "list",
		"2202": "list",
		"2206": "list",
		"2501": "list",
		"914": "contact limit",
		"2302": "contact limit",
		"2101": "try again",
		"2001": "bug",  # "Please enter correct XML(or)JSON format."
		"910": "bug",  # errors of a field
		"916": "bug",
	},
	DO_NOT_MAIL: {
		"2004": "address",
		"2005": "address",
		"2006": "address",
		"2007": "address",
		"2103": "address",  # "Contact does not exist."
		"2101": "try again",
		"2104": "try again",  # "Error in Do-not-mail. Please retry after sometime."
	},
}
