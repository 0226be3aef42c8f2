// Zoho Sync Run: how far it is, what it did, and where to go from there.

frappe.provide("erpnext_zoho_integration");

frappe.ui.form.on("Zoho Sync Run", {
	refresh(frm) {
		const app = erpnext_zoho_integration;
		frm.disable_save();
		frm.page.set_indicator(
			__(frm.doc.status, null, "Zoho Sync Run"),
			app.RUN_INDICATORS[frm.doc.status] || "gray"
		);
		if (app.is_active(frm.doc.status)) {
			app.follow_on_form(frm, frm.doc.name);
			if (app.may_sync_all() && !frm.doc.cancel_requested) {
				frm.add_custom_button(__("Cancel Sync"), () =>
					app.cancel_run(frm.doc.name).then(() => frm.reload_doc())
				);
			}
			return;
		}
		if (["Failed", "Partial", "Cancelled"].includes(frm.doc.status)) {
			frm.add_custom_button(__("Sync Again"), () => erpnext_zoho_integration.run.again(frm)).addClass(
				"btn-primary"
			);
		}
		if (frappe.model.can_read("Zoho Settings")) {
			frm.add_custom_button(__("Zoho Settings"), () => frappe.set_route("Form", "Zoho Settings"));
		}
	},
});

erpnext_zoho_integration.run = {
	// What a run has stored it does not fetch twice, so trying again is always safe.
	again(frm) {
		const app = erpnext_zoho_integration;
		const start = frm.doc.campaign
			? app
					.act("api.sync.sync_campaign_by_name", { campaign_name: frm.doc.campaign }, __("Starting the sync..."))
					.then((result) => result.run)
			: app.sync_all();
		start.then((run) => frappe.set_route("Form", "Zoho Sync Run", run));
	},
};
