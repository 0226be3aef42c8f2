// Forms of Contact, Lead and Customer: one line that says whether the person gets marketing e-mail, with the evidence.

(function (app) {
	for (const doctype of ["Contact", "Lead", "Customer"]) {
		frappe.ui.form.on(doctype, {
			refresh(frm) {
				const entries = frm.doc.__onload?.zoho_consent;
				if (frm.is_new() || !entries) return;
				app.show_consent(frm, entries);
				show_in_mail_dialogs();
			},
		});
	}

	const is_manager = () => frappe.user.has_role("System Manager");

	// `entries`: address, reason and sentence of each address that gets no marketing e-mail.
	app.show_consent = (frm, entries) => {
		const $lines = entries.map((entry) => {
			const $line = $("<p>").addClass("zoho-consent small").attr("dir", "auto").html(line_of(entry, entries.length > 1));
			if (is_manager() && entry.reason !== "Erased") $line.append(...buttons(frm, entry));
			return $line;
		});
		frm.dashboard.add_section($("<div>").append($lines), __("Consent"));
		frm.dashboard.show();
	};

	function line_of(entry, with_address) {
		const text = entry.held_back
			? entry.text
			: `${entry.text} ${__("It is not held back yet: see Zoho Settings.")}`;
		return with_address ? `${app.escape(entry.email)}: ${text} ` : `${text} `;
	}

	function buttons(frm, entry) {
		const lift =
			entry.reason === "Hard Bounced"
				? button(__("Address Works Again"), () => works_again(frm, entry.email))
				: button(__("Record New Consent"), () => ask_for_consent(frm, entry.email));
		const evidence = button(__("Evidence"), () =>
			frappe.set_route("query-report", "Consent Evidence", { email: entry.email })
		);
		return [evidence, " ", lift];
	}

	const button = (label, act) => $(`<button class="btn btn-xs btn-default">${label}</button>`).on("click", act);

	function works_again(frm, email) {
		const question = __("Does mail to {0} arrive again? Marketing e-mail is no longer held back then.", [
			app.escape(email),
		]);
		frappe.confirm(question, () =>
			app.act("api.consent.record_address_works_again", { email }).then(() => frm.reload_doc())
		);
	}

	function ask_for_consent(frm, email) {
		const dialog = new frappe.ui.Dialog({
			title: __("Record New Consent"),
			fields: [
				{ fieldname: "given_at", fieldtype: "Datetime", label: __("Given At"), reqd: 1, default: "now" },
				{
					fieldname: "method",
					fieldtype: "Select",
					label: __("Given By"),
					reqd: 1,
					options: [
						{ value: "Written Form", label: __("Written Form") },
						{ value: "Web Form", label: __("Web Form") },
						{ value: "E-mail", label: __("E-mail") },
						{ value: "Phone Call", label: __("Phone Call") },
						{ value: "In Person", label: __("In Person") },
					],
				},
				{ fieldname: "text", fieldtype: "Small Text", label: __("Words the Person Agreed To"), reqd: 1 },
				{ fieldname: "file", fieldtype: "Attach", label: __("Proof (private file)"), reqd: 1 },
				{ fieldname: "explanation", fieldtype: "HTML" },
			],
			primary_action_label: __("Record"),
			primary_action: (values) =>
				app.act("api.consent.record_consent", { ...values, email }).then(() => {
					dialog.hide();
					frm.reload_doc();
				}),
		});
		dialog.fields_dict.explanation.$wrapper.addClass("text-muted small").text(
			__(
				"{0} gets marketing e-mail from ERPNext again. Nothing changes at Zoho: there the person has to subscribe again. Clearing the box Unsubscribed lifts nothing.",
				[email]
			)
		);
		dialog.show();
	}

	// Every way to write to a person leads to this dialog: the menu, the timeline's button, a reply.
	function show_in_mail_dialogs() {
		const composer = frappe.views.CommunicationComposer?.prototype;
		if (!composer?.make || composer.zoho_consent) return;
		const make = composer.make;
		composer.zoho_consent = true;
		composer.make = function (...args) {
			const made = make.apply(this, args);
			const entries = this.frm?.doc?.__onload?.zoho_consent;
			if (entries && this.dialog) {
				const lines = entries.map((entry) => line_of(entry, true)).join("<br>");
				const $line = $(`<div class="alert alert-warning small zoho-consent" dir="auto"></div>`).html(lines);
				$(this.dialog.body).prepend($line);
			}
			return made;
		};
	}
})(erpnext_zoho_integration);
