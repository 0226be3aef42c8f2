"""HTML pages: consent, an OAuth error, and the simulator's front page."""

from __future__ import annotations

from html import escape

from zoho_simulator.settings import Settings

STYLE = """
:root { color-scheme: light dark; --ink: #1f272e; --soft: #687178; --line: #d9dde1; --card: #fff; --page: #f4f5f6; }
@media (prefers-color-scheme: dark) {
	:root { --ink: #f1f3f5; --soft: #a6b1b9; --line: #3c444b; --card: #22272b; --page: #161a1d; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
	font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); }
main { width: min(30rem, 100%); background: var(--card); border: 1px solid var(--line); border-radius: 12px;
	padding: 2rem; }
h1 { font-size: 1.25rem; margin: 0 0 .75rem; }
p { margin: 0 0 1rem; } .soft { color: var(--soft); font-size: .875rem; }
ul { margin: 0 0 1.5rem; padding-left: 1.25rem; } code { font-size: .875rem; overflow-wrap: anywhere; }
form { display: flex; gap: .75rem; }
button { flex: 1; padding: .625rem 1rem; font: inherit; font-weight: 600; border-radius: 8px; cursor: pointer;
	border: 1px solid var(--line); background: transparent; color: var(--ink); }
button.accept { background: #1a6fd6; border-color: #1a6fd6; color: #fff; }
button:focus-visible { outline: 3px solid #1a6fd6; outline-offset: 2px; }
"""

SCOPE_MEANINGS = {
	"zohocampaigns.campaign.read": "see your campaigns, their reports and recipients",
	"zohocampaigns.contact.read": "see your mailing lists and contacts",
}


def _page(title: str, body: str) -> str:
	return (
		'<!doctype html><html lang="en"><head><meta charset="utf-8">'
		'<meta name="viewport" content="width=device-width, initial-scale=1">'
		f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
	)


def consent_page(ticket: str, scopes: tuple[str, ...], settings: Settings) -> str:
	"""Return the page on which a user grants or denies the scopes. `ticket` identifies the authorization request."""
	wanted = "".join(
		f"<li>{SCOPE_MEANINGS.get(scope.lower(), 'use')} <code>{escape(scope)}</code></li>"
		for scope in scopes
	)
	return _page(
		"Zoho Accounts (simulated)",
		f"<h1>Allow <em>{escape(settings.client_id)}</em> to use your Zoho account?</h1>"
		f"<p>It would like to:</p><ul>{wanted}</ul>"
		'<form method="post" action="/oauth/v2/auth/decision">'
		f'<input type="hidden" name="consent" value="{escape(ticket)}">'
		'<button name="decision" value="reject">Reject</button>'
		'<button class="accept" name="decision" value="accept">Accept</button></form>'
		f'<p class="soft" style="margin:1.5rem 0 0">Simulated accounts server of accounts.{escape(settings.domain)}.'
		" No real account is involved.</p>",
	)


def error_page(error: str, text: str) -> str:
	"""Return the page that names what is wrong with an authorization request."""
	return _page(
		"Zoho Accounts (simulated)",
		f"<h1>This request cannot be answered</h1><p>{escape(text)}</p><p><code>{escape(error)}</code></p>",
	)


def front_page(settings: Settings, url: str, campaigns: int) -> str:
	"""Return the page at the simulator's root address. `campaigns` is the number of sent campaigns."""
	links = "".join(
		f'<li><a href="/_simulator/{name}">{text}</a></li>'
		for name, text in (
			("expected", "what a complete sync must store"),
			("settings", "settings"),
			("requests", "requests received, secrets masked"),
			("stats", "calls per endpoint"),
		)
	)
	return _page(
		"Zoho simulator",
		f"<h1>Zoho simulator</h1><p>Accounts server and campaigns server of the data centre"
		f" <strong>{escape(settings.data_center)}</strong> at <code>{escape(url)}</code>, with {campaigns} sent"
		f" campaigns. Client id <code>{escape(settings.client_id)}</code>.</p><ul>{links}</ul>"
		'<p class="soft">Nothing here reaches Zoho.</p>',
	)
