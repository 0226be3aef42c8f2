"""Sync runs, from start to end.

queue                  starts, finds, resumes and cancels runs
worker                 one slice of a run: plan, then campaign by campaign, then end
run_plan, run_end, progress, interruptions
campaign_tasks         the campaigns of a run, taken by whichever worker comes first
campaign_sync          one campaign, from its report to its reconciliation
list_reader            its lists, batch by batch, with the cursor behind each
batch_writer           a batch, written again if another worker won a race
checkpoint             commits a batch with the cursor behind it
run_log, campaign_log  Zoho Sync Run and what it says of a campaign
single_steps, dry_run, health, notifications
"""
