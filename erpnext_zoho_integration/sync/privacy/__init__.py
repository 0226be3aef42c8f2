"""Keeps figures and forgets people.

erasure          takes a person out of everything that the app has stored
retention        anonymises campaigns whose time has passed
anonymised_rows  what is left of a row when its person goes
scrubbing        what else names the person: links, logs, versions, search
"""
