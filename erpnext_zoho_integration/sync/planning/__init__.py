"""What a run has to do.

due_campaigns  which campaigns are due
schedule       how often a campaign of a certain age is due
lists          which lists of a campaign are worth reading
policy         what Zoho Settings ask for
forecast       how many calls and minutes a first sync will take
"""
