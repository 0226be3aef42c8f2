// Filters of Engaged Contacts; everything else is made by the server.

frappe.query_reports["Engaged Contacts"] = {
	filters: [
		{
			fieldname: "from_date",
			label: __("From Date"),
			fieldtype: "Date",
			default: frappe.datetime.add_months(frappe.datetime.get_today(), -12),
		},
		{
			fieldname: "to_date",
			label: __("To Date"),
			fieldtype: "Date",
			default: frappe.datetime.get_today(),
		},
		{
			fieldname: "campaign",
			label: __("Campaign"),
			fieldtype: "Link",
			options: "Campaign",
			get_query: () => ({ filters: { zoho_campaign_key: ["is", "set"] } }),
		},
		{
			fieldname: "only_clicked",
			label: __("Clicked Only"),
			fieldtype: "Check",
			default: 0,
		},
	],
};
