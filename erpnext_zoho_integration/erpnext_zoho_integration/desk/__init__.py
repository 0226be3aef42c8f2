"""What the Desk asks: figures for forms, lists and the timeline, shaped for showing.

Thin and read-only: permissions are checked first, nothing is written, and nothing here talks to Zoho.
"""
