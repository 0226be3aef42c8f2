"""Plain functions: what Zoho sends becomes what ERPNext stores. No database, no network.

rows        a recipient becomes a row of Campaign Recipient
pages       a page of recipients becomes rows
analytics   a report becomes Campaign Analytics
results     what became of a page
text        texts made fit for database and screen
site_clock  times in the site's time zone
"""
