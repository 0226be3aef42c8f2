"""Shared ground for every room that reads or writes the database.

doctypes       names of DocTypes
addresses      how e-mail addresses are compared
digests        row keys, stand-ins, keyed digests
erased_people  the register of erased people
sql_lookups, sql_writes, sql_values, indexes  SQL that the query builder cannot say, per database
names          document names, reserved in blocks
"""
