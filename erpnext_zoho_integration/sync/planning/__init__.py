"""Decides the work of a run.

due_campaigns    which campaigns are due
check_intervals  how often a campaign of a certain age is due
lists_to_read    which lists of a campaign are worth reading
sync_settings    what Zoho Settings ask for
forecast         how many calls and minutes a first sync will take
"""
