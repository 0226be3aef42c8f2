"""See in ERPNext what your Zoho Campaigns e-mails did."""

__version__ = "0.1.0"
