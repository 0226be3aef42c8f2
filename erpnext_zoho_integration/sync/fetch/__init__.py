"""Reads Zoho for a run.

zoho_session  the clients, the token and the budget of calls that a run shares
reports       the keys and reports of a campaign
pages_ahead   the lists of a campaign, fetched ahead by a thread
"""
