// Erase This Person, a menu item for System Managers on Zoho Settings, Contact and Campaign Recipient.

frappe.provide("erpnext_zoho_integration");

erpnext_zoho_integration.privacy = {
	may_erase: () => frappe.user.has_role("System Manager"),

	// `emails` are the addresses to choose from; without them the user types one.
	add_to_menu(page, emails, on_done) {
		if (!this.may_erase()) return;
		page.add_menu_item(__("Erase This Person..."), () => this.ask(emails || [], on_done), false);
	},

	ask(emails, on_done) {
		const dialog = new frappe.ui.Dialog({
			title: __("Erase This Person"),
			fields: [
				...this.address_fields(emails),
				{
					fieldname: "delete_contact",
					fieldtype: "Check",
					label: __("Also delete the Contact, unless other documents need it"),
				},
				{ fieldname: "explanation", fieldtype: "HTML" },
			],
			primary_action_label: __("Erase"),
			primary_action: (values) => {
				const chosen = emails.length
					? emails.filter((_email, number) => values[`email_${number}`])
					: [values.email];
				if (!chosen.length) return;
				dialog.hide();
				this.erase(chosen, values.delete_contact).then(on_done);
			},
		});
		dialog.fields_dict.explanation.$wrapper.addClass("text-muted small").text(
			__(
				"The person's name, address and other personal data are removed from all campaign recipients. Campaign totals stay the same. The Contact loses its data from Zoho and stays opted out. No sync brings the person back. This cannot be undone."
			)
		);
		dialog.get_primary_btn().removeClass("btn-primary").addClass("btn-danger");
		dialog.show();
	},

	address_fields(emails) {
		if (!emails.length) {
			return [{ fieldname: "email", fieldtype: "Data", options: "Email", reqd: 1, label: __("E-mail Address") }];
		}
		return emails.map((email, number) => ({
			fieldname: `email_${number}`,
			fieldtype: "Check",
			label: frappe.utils.escape_html(email),
			default: 1,
		}));
	},

	// Erases one address after the other; the Contact is deleted with the last one.
	async erase(emails, delete_contact) {
		const total = { rows: 0, texts: 0, kept: [] };
		for (const [number, email] of emails.entries()) {
			const last = number === emails.length - 1;
			const args = { email, delete_contact: delete_contact && last ? 1 : 0 };
			const result = await erpnext_zoho_integration.act("api.privacy.erase_person", args, __("Erasing..."));
			total.rows += result.rows;
			total.texts += result.texts;
			total.kept.push(...result.kept);
		}
		this.tell(total);
	},

	tell(total) {
		const lines = [
			__("{0} recipients anonymised. The person was removed from {1} messages, comments and errors.", [
				erpnext_zoho_integration.number(total.rows),
				erpnext_zoho_integration.number(total.texts),
			]),
		];
		if (total.kept.length) {
			const names = total.kept.map(erpnext_zoho_integration.escape).join(", ");
			lines.push(__("Not deleted because other documents need it: {0}", [names]));
		}
		frappe.msgprint({ title: __("Erased"), message: lines.join("<br>"), indicator: "green" });
	},
};

(function ({ privacy }) {
	const emails_of = (contact) => [
		...new Set([contact.email_id, ...(contact.email_ids || []).map((row) => row.email_id)].filter(Boolean)),
	];
	const list = () => frappe.set_route("List", "Campaign Recipient");

	frappe.ui.form.on("Zoho Settings", {
		refresh: (frm) => privacy.add_to_menu(frm.page),
	});
	frappe.ui.form.on("Contact", {
		refresh(frm) {
			const emails = emails_of(frm.doc);
			if (frm.is_new() || !emails.length) return;
			privacy.add_to_menu(frm.page, emails, () =>
				frappe.db.exists("Contact", frm.doc.name).then((exists) => {
					if (exists) frm.reload_doc();
					else frappe.set_route("List", "Contact");
				})
			);
		},
	});
	frappe.ui.form.on("Campaign Recipient", {
		refresh(frm) {
			if (frm.is_new() || frm.doc.rtbf) return;
			privacy.add_to_menu(frm.page, [frm.doc.email], list);
		},
	});
})(erpnext_zoho_integration);
