"""The reports, and the figures that forms and the workspace share with them.

campaign_figures                                               counts and rates of campaigns
recipient_queries                                              reads recipients for a report; makes numbers and charts of its summary
columns                                                        makes a column of a report
campaign_performance, link_performance, engagement_by_country  the reports about campaigns
engaged_contacts, bounces_and_opt_outs, consent_evidence       the reports about people
"""
