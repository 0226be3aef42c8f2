"""The module that Frappe knows: DocTypes, reports, workspace, and the Python behind the API and the Desk.

api                                                              the published API
desk                                                             answers for the app's own scripts in the Desk
report                                                           the reports, and the figures of campaigns
roles_and_rate_limits                                            roles and permission checks
doctype                                                          the DocTypes
workspace, number_card, dashboard_chart, dashboard_chart_source  the workspace and what stands on it
module_onboarding, onboarding_step                               the first steps that the workspace suggests
"""
