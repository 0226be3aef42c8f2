// Form of Zoho Suppressed Address: releases one person whom Zoho mails again, with Zoho's row as proof.

frappe.ui.form.on("Zoho Suppressed Address", {
	refresh(frm) {
		if (!frm.doc.back_at_zoho || !frappe.user.has_role("System Manager")) return;
		const app = erpnext_zoho_integration;
		const question = __(
			"{0} opted out and is active in a mailing list of Zoho again. This person will get marketing e-mail from ERPNext again. Zoho's row is kept as proof.",
			[app.escape(frm.doc.email)]
		);
		const release = () =>
			app
				.act("api.consent.release", { email: frm.doc.email })
				.then(() => frappe.set_route("List", "Zoho Suppressed Address"));
		frm.add_custom_button(__("Release"), () =>
			frappe.warn(__("Opt-out Withdrawn at Zoho"), question, release, __("Release"))
		);
	},
});
