// Zoho Held Mail: a mail that was held because the suppression list could not be read can be queued again.

frappe.ui.form.on("Zoho Held Mail", {
	refresh(frm) {
		if (frm.doc.reason !== "List Unreadable" || frm.doc.status !== "Held Back") return;
		frm.add_custom_button(__("Queue Again"), () =>
			erpnext_zoho_integration.act("api.consent.queue_again", { held: frm.doc.name }).then((sent) => {
				frappe.show_alert(__("{0} get the mail now.", [erpnext_zoho_integration.number(sent)]));
				frm.reload_doc();
			})
		);
	},
});
