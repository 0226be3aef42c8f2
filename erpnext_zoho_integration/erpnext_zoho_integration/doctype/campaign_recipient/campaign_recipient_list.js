// Campaign Recipient list: what each person did, at a glance.

frappe.listview_settings["Campaign Recipient"] = {
	add_fields: ["action_type", "rtbf"],

	get_indicator(doc) {
		const color = erpnext_zoho_integration.ACTION_INDICATORS[doc.action_type] || "gray";
		return [__(doc.action_type, null, "Campaign Recipient"), color, `action_type,=,${doc.action_type}`];
	},
};
