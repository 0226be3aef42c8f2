"""Opt-outs by address: what became known, who gets no marketing mail, and what follows. Writes all marks on people.

recording, marks                the one way in, with everything that follows; the opt-out box of people
rules, events, zoho_facts       what events mean; writes them; what a recipient at Zoho says
suppression_list                who gets no marketing mail, derived from the events
document_events                 what users do in ERPNext
missed_opt_outs, hourly         finds what document events missed, every hour
backfill                        writes what was known before events existed
gate, held_mail, queued_mail    before a mail is queued; what mails lost; mails queued before an opt-out
marketing_mail, mail_preview    which mails are marketing; who will get one
new_consent, evidence, erasure  how a person lifts a block; what can be proved; takes a person out of the events
settings, upgrade, tell_zoho    which mail is held back; turning that on; opt-outs that Zoho is told
bursts, back_at_zoho            many opt-outs at once; whom Zoho mails again although they opted out
"""
