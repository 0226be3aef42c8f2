"""Shared ground for every room that reads or writes the database.

doctypes        names of DocTypes
fields          names of fields that several modules use
addresses       how e-mail addresses are compared
digests         row keys, pseudonyms, keyed digests
erased_people   the register of erased people
sql_lookups     queries for a whole page of values
sql_writes      inserts and updates of many rows at once
indexes         database indexes that Frappe does not create
document_names  document names: numbers reserved in blocks, names not yet taken
"""
