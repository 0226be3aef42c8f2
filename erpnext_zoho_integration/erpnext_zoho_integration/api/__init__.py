"""The published API, listed in the README; other programs may rely on it. The app's own scripts may use `desk/` too.

campaigns      reads Zoho live: campaigns, reports, recipients
oauth          connects to Zoho: authorize, callback, tokens
sync           starts, forecasts and cancels syncs
privacy        erases a person
consent        lifts blocks, queues held mail again, shows the evidence
custom_fields  the fields that the app adds to Campaign and Contact
"""
