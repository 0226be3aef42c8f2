frappe.ui.form.on("Campaign", {
	refresh(frm) {
		if (frm.is_new()) {
			const by_series = frappe.boot.sysdefaults.campaign_naming_by === "Naming Series";
			frm.toggle_display("naming_series", by_series);
		}
	},
});
