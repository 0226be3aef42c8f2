// Form of a Zoho Deleted Campaign: no sync brings the campaign back until it is restored here.

frappe.ui.form.on("Zoho Deleted Campaign", {
	refresh(frm) {
		frm.disable_save();
		if (!frappe.model.can_delete("Zoho Deleted Campaign")) return;
		frm.add_custom_button(__("Restore", null, "Zoho Deleted Campaign"), () =>
			erpnext_zoho_integration
				.restore_campaigns([frm.doc.name])
				.then(() => frappe.set_route("List", "Zoho Deleted Campaign"))
		).addClass("btn-primary");
	},
});
