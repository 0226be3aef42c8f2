// Zoho Deleted Campaign list: campaigns that no sync brings back, until they are restored here.

frappe.listview_settings["Zoho Deleted Campaign"] = {
	onload(listview) {
		if (!frappe.model.can_delete("Zoho Deleted Campaign")) return;
		listview.page.add_actions_menu_item(__("Restore"), () => {
			const names = listview.get_checked_items(true);
			frappe.confirm(
				__("Restore {0} campaigns? The next sync brings them back with their recipients.", [names.length]),
				() =>
					frappe
						.call({
							method: "frappe.desk.reportview.delete_items",
							args: { doctype: "Zoho Deleted Campaign", items: names },
							freeze: true,
						})
						.then(() => {
							frappe.show_alert({
								message: __("Restored. Start Sync All Campaigns, or wait for the next sync."),
								indicator: "green",
							});
							listview.clear_checked_items();
							listview.refresh();
						})
			);
		});
	},
};
