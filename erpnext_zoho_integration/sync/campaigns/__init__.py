"""Campaign documents, their sync state, and operations on all rows of a campaign.

documents                    writes Campaign and its Campaign Analytics
identity                     what identifies a campaign in the keys of its rows
sync_state                   what the last sync saw of a campaign, and the cursor of an unfinished sync
reconciliation               compares stored rows with Zoho's counters
seen_keys                    the row keys that came in a list, in little memory
pruning                      deletes rows that are gone at Zoho
merging                      merges rows that claim the same key
bounced_recipient_flags      flags Sent rows whose mail bounced
top_links_and_daily_figures  activity by day and by link, for the form
deleted                      campaigns that users deleted or merged, so that no sync restores them
"""
