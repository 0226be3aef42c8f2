"""The pipeline: plan → fetch → match contacts → upsert → account for it. The only writer of synced data.

- `plan`: which campaigns are due, and where their recipients are
- `fetch`: pages of recipients from Zoho
- `mapping`: a page of Zoho's records becomes rows (pure)
- `match`: which Contact each row belongs to, in one query per page
- `upsert`: what differs is written
- `account`: what happened is written to the Zoho Sync Run
- `runner`: the sentence above, for one campaign or for all
"""
