"""Stores Zoho's data in ERPNext; the only writer of synced data. A room imports only rooms below it.

runs        starts, slices, resumes and logs runs; commits batches
document_events  what happens here when people rename, merge, delete and save documents
planning    which campaigns are due, which lists are worth reading, what it costs
recipients  a batch of records becomes Campaign Recipient rows
privacy     erasure and retention
campaigns   Campaign, its analytics, its state; work on all rows of a campaign
contacts    finds, creates, fills and opts out Contacts
fetch, mapping  reads Zoho; plain functions from its records to our values
"""
