// List of Zoho Deleted Campaigns: no sync brings them back until they are restored here.

frappe.listview_settings["Zoho Deleted Campaign"] = {
	button: {
		show: () => frappe.model.can_delete("Zoho Deleted Campaign"),
		get_label: () => __("Restore", null, "Zoho Deleted Campaign"),
		get_description: () => __("Let the next sync bring this campaign back"),
		action: (doc) => frappe.listview_settings["Zoho Deleted Campaign"].restore([doc.name]),
	},

	onload(listview) {
		this.restore = (names) =>
			erpnext_zoho_integration.restore_campaigns(names).then(() => {
				listview.clear_checked_items();
				listview.refresh();
			});
		if (!frappe.model.can_delete("Zoho Deleted Campaign")) return;
		listview.page.add_actions_menu_item(__("Restore", null, "Zoho Deleted Campaign"), () =>
			this.restore(listview.get_checked_items(true))
		);
	},
};
