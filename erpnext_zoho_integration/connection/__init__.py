"""The bridge between a Frappe site and the `zoho` package: settings, tokens, clients, and what errors mean to people.

`api` and `sync` come here for a client; `zoho` knows nothing of it. Nothing here reads or writes synced data.
"""

from erpnext_zoho_integration.connection.clients import (
	accounts_url,
	campaigns_client,
	campaigns_url,
	oauth_client,
)
from erpnext_zoho_integration.connection.messages import explain, explained_errors
from erpnext_zoho_integration.connection.tokens import (
	NotConnected,
	TokenSource,
	disconnect,
	mark_needs_attention,
	mark_refused,
	mark_working,
	refresh_token,
	store_tokens,
	valid_token,
)

__all__ = [
	"NotConnected",
	"TokenSource",
	"accounts_url",
	"campaigns_client",
	"campaigns_url",
	"disconnect",
	"explain",
	"explained_errors",
	"mark_needs_attention",
	"mark_refused",
	"mark_working",
	"oauth_client",
	"refresh_token",
	"store_tokens",
	"valid_token",
]
