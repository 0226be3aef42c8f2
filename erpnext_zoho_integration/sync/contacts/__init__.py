"""Contacts: finds, creates, fills and opts out the people behind the rows.

matching         which Contact a person is
contact_values   the fields that a person from Zoho fills or changes; one Contact through the Document API
zoho_status      which status counts where lists and campaigns differ
change_cache     values that Contacts already have, so that they are not compared again
row_links        links rows to Contacts and opts Contacts out
clear_contact    clears what Zoho filled, when a person is erased
contact_writers  the two ways to write Contacts: in bulk, or document by document
bulk_contacts    Contacts in bulk
unique_names     document names for many new Contacts
"""
