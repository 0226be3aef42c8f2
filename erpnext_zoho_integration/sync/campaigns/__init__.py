"""Campaign documents, their figures, their state, and work on all rows of a campaign.

documents       writes Campaign and Campaign Analytics
identity        what stands for a campaign in the keys of its rows
state           what the last sync saw, and the cursor of an unfinished one
reconciliation  stored rows against Zoho's counters
seen_keys, pruning  rows that Zoho no longer lists
merging, deleted, bounces, engagement
"""
