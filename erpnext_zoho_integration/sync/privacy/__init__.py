"""Erase people, keep the figures.

erasure          takes a person out of everything that the app has stored
retention        anonymises campaigns that were sent too long ago
anonymised_rows  replaces rows of Campaign Recipient by rows without the person
scrubbing        removes the person from what else names them: links, logs, versions, search
"""
