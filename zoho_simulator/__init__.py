"""A simulated Zoho Campaigns account on 127.0.0.1, over real HTTP. See docs/simulator.md.

It needs only the standard library and imports nothing of the app. Modules, each using only those further down:
simulator (`Simulator`, the public class); http_server (sockets); accounts_server (OAuth), campaigns_server (API v1.1) with
contacts_server, api_methods and localised, control_server (/_simulator/); account (the state that the servers share) with
tokens, rate_limits, faults, request_log, page_cache, clock and contacts (contacts, lists, topics); activity (opens, clicks, new campaigns over time); sizing (builds the data); expected (the rows a
correct sync stores); recipients, reports (what Zoho answers); world (the data) with campaigns, mailings and people;
html_pages, http_messages, formats (times, XML) and settings (all options).
"""

from zoho_simulator.settings import Settings
from zoho_simulator.simulator import Simulator

__all__ = ["Settings", "Simulator"]
