"""Shared ground for every room that reads or writes the database.

doctypes, fields          names of DocTypes, and of fields that several modules use
addresses, people_lookup  how e-mail addresses are compared; the documents that hold one
row_keys_and_digests      row keys, pseudonyms, keyed digests
erased_people             the register of erased people
sql_lookups, sql_writes   queries for a page of values; inserts and updates of many rows at once
indexes                   database indexes that Frappe does not create
document_names            document names: numbers reserved in blocks, names not yet taken
document_listeners        what on this site listens to saved documents
"""
