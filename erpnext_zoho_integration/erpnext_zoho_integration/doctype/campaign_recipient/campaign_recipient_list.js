// List of Campaign Recipients: one coloured action per row, and Erase This Person.

frappe.listview_settings["Campaign Recipient"] = {
	add_fields: ["action_type"],
	hide_name_column: true,

	onload(listview) {
		erpnext_zoho_integration.show_columns(listview, 7);
		erpnext_zoho_integration.privacy.add_to_menu(listview.page);
	},

	formatters: {
		action_date: (value) => (value ? erpnext_zoho_integration.when_short(value) : ""),
		action_type(value) {
			const color = erpnext_zoho_integration.ACTION_INDICATORS[value] || "gray";
			const label = __(value, null, "Campaign Recipient");
			return `<span class="indicator-pill ${color} ellipsis">${frappe.utils.escape_html(label)}</span>`;
		},
	},
};
