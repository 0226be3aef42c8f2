app_name = "erpnext"
app_title = "ERPNext"
app_publisher = "erpnext_zoho_integration"
app_description = "A stand-in for ERPNext on an embedded site"
app_email = "maintainers@example.com"
app_license = "MIT"

after_install = "erpnext.install.after_install"

# ERPNext's own listener to Contact, for the Leads that a Contact is linked to.
doc_events = {"Contact": {"validate": "erpnext.crm.utils.update_lead_phone_numbers"}}

# A User whose e-mail address is that of a Contact of a Customer gets this role.
default_roles = [{"role": "Customer", "doctype": "Contact", "email_field": "email_id"}]
