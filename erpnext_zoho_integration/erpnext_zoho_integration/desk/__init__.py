"""Answers for the app's own scripts in the Desk, read-only. They may change any day; integrations call `api/`.

campaign         the dashboard on the form of a Campaign
people_timeline  figures and timeline of a Contact, a Lead and a Customer
consent          the line about consent on people; who will get a mail
number_cards     the numbers on the cards of the workspace
sync_progress    the progress of a sync
settings         the overview on the form of Zoho Settings
"""
