"""The people behind the rows: Contacts are found, created, filled and opted out here.

matching      which Contact a person is
updates       what a person from Zoho changes in a Contact
status        which status counts where lists differ
change_cache  what has been taken over already, so that nothing is asked twice
linking       rows are linked to Contacts
clearing      clears what Zoho filled, when a person is erased
writers, bulk, names  how Contacts are written
"""
