"""Plain functions that turn Zoho's records into ERPNext's values. No database, no network.

recipient_rows       recipient record to row of Campaign Recipient
recipient_pages      page of recipient records to rows
campaign_analytics   campaign report to rows of Campaign Analytics
page_results         the result of writing a page: counts and notes
clean_text_and_urls  cleans texts for the database's fields and for every view
site_clock           seconds since the epoch, and times in the site's zone
"""
