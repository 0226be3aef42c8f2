// Campaign Recipient: what one person did with one campaign.

frappe.ui.form.on("Campaign Recipient", {
	refresh(frm) {
		if (frm.is_new()) return;
		const app = erpnext_zoho_integration;
		// Rows from Zoho are read-only: the next change there would overwrite an edit.
		if (frm.doc.content_hash) frm.disable_form();
		frm.page.set_indicator(
			__(frm.doc.action_type, null, "Campaign Recipient"),
			app.ACTION_INDICATORS[frm.doc.action_type] || "gray"
		);
		if (frm.doc.rtbf) {
			frm.set_intro(__("The personal data was removed because the person was erased, or because the period set in Zoho Settings has passed. Only the figures are kept."), "orange");
			return;
		}
		frm.add_custom_button(__("All Activity of This Person"), () =>
			frappe.set_route("List", "Campaign Recipient", { email: ["=", frm.doc.email] })
		);
	},
});
