"""Names of fields that several modules use, each once.

The columns of Campaign Recipient that come from Zoho are listed in `sync.mapping.recipient_rows.RECIPIENT_FIELDS`.
"""

# Custom fields on Campaign and Contact; some DocTypes of this app have fields of the same name and meaning.
ZOHO_CAMPAIGN_KEY = "zoho_campaign_key"
ZOHO_CAMPAIGN_ID = "zoho_campaign_id"
ZOHO_CAMPAIGN_STATUS = "zoho_campaign_status"
ZOHO_CAMPAIGN_TYPE = "zoho_campaign_type"
ZOHO_SENT_TIME = "zoho_sent_time"
ZOHO_CONTACT_ID = "zoho_contact_id"
ZOHO_STATUS = "zoho_status"
ZOHO_LAST_SYNCED = "zoho_last_synced"

# Campaign Recipient
ROW_KEY = "row_key"
CONTENT_HASH = "content_hash"
ACTION_TYPE = "action_type"
ACTION_DATE = "action_date"
SENT_TIME = "sent_time"
CONTACT_REMOVED = "contact_removed"

# Zoho Sync Run and Zoho Sync Task
ACTIVE_KEY = "active_key"
CANCEL_REQUESTED = "cancel_requested"
RESUME_AT = "resume_at"

# Zoho Settings
CONNECTION_STATUS = "connection_status"
CONNECTION_ERROR = "connection_error"
IS_ACTIVE = "is_active"
NO_TOKENS_BEFORE = "no_tokens_before"
GRANTED_SCOPES = "granted_scopes"
CONNECTED_SITE = "connected_site"
ORGANISATION = "organisation"
TELL_ZOHO = "tell_zoho"
STOP_WRITING = "stop_writing"
CHECK_AT_ZOHO = "check_at_zoho"
BACK_AT_ZOHO = "back_at_zoho"
