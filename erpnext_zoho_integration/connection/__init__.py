"""The bridge between a Frappe site and the `zoho` client. Nothing here reads or writes synced data.

settings         reads Zoho Settings: data centre, servers, OAuth client
identity         whether this is the site, key and organisation of the connection
tokens           stores and refreshes tokens, one worker at a time
authorization    the OAuth redirect and its one-time state
clients          a client for the connected account; the site's rate limiter
writing          who may write to Zoho, and the one client that does
zoho_rate_limit  the budgets of calls per method, shared by all workers
error_messages   what an error means to the person who reads it
errors           errors of the connection itself
"""
