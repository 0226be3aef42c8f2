// Newsletter, Email Campaign and Email Group: who will get the mail and who is held back, before it is sent.

(function (app) {
	for (const doctype of ["Newsletter", "Email Campaign", "Email Group"]) {
		frappe.ui.form.on(doctype, {
			refresh(frm) {
				if (frm.is_new()) return;
				app.ask("desk.consent.preview", { doctype, name: frm.doc.name }).then((found) => {
					if (found.held_back && frm.doc.name) app.show_held_back(frm, found);
				});
			},
		});
	}

	app.show_held_back = (frm, found) => {
		const text = __("Will get it: {0} · Held back: {1}", [app.number(found.get), app.number(found.held_back)]);
		const $line = $("<p>").addClass("zoho-held-back small").attr("dir", "auto").text(`${text} `);
		if (found.people.length) {
			$line.append($(`<button class="btn btn-xs btn-default">${__("Who")}</button>`).on("click", () => show(found)));
		}
		frm.dashboard.add_section($("<div>").append($line), __("Consent"));
		frm.dashboard.show();
	};

	function show(found) {
		const rows = found.people.map(
			({ email, text }) => `<tr><td>${app.escape(email)}</td><td>${app.escape(text)}</td></tr>`
		);
		const more = found.held_back - found.people.length;
		const rest = more > 0 ? `<p class="text-muted">${__("and {0} more", [app.number(more)])}</p>` : "";
		frappe.msgprint({
			title: __("Held Back"),
			message: `<table class="table table-bordered small">${rows.join("")}</table>${rest}`,
			wide: true,
		});
	}
})(erpnext_zoho_integration);
