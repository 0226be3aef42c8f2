// Campaign Recipient: what one person did with one campaign.

frappe.ui.form.on("Campaign Recipient", {
	refresh(frm) {
		if (frm.is_new()) return;
		const app = erpnext_zoho_integration;
		// What came from Zoho is not to be typed over; the next change there would undo it.
		if (frm.doc.content_hash) frm.disable_form();
		frm.page.set_indicator(
			__(frm.doc.action_type, null, "Campaign Recipient"),
			app.ACTION_INDICATORS[frm.doc.action_type] || "gray"
		);
		if (frm.doc.rtbf) {
			frm.set_intro(__("Only the figure is kept: the person asked to be forgotten, or the time set in Zoho Settings has passed."), "orange");
			return;
		}
		frm.add_custom_button(__("Everything This Person Did"), () =>
			frappe.set_route("List", "Campaign Recipient", { email: ["=", frm.doc.email] })
		);
	},
});
