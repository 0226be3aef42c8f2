// Contact: what this person did with campaigns. Contacts without any look as before.

frappe.ui.form.on("Contact", {
	refresh(frm) {
		const engagement = frm.doc.__onload?.zoho;
		if (frm.is_new() || !engagement) return;
		const app = erpnext_zoho_integration;
		const cards = engagement.cards.map((card) => ({
			key: card.key,
			label: card.label,
			value: app.number(card.value),
			title: __("Show the recipients: {0}", [card.label]),
			url: app.list_url("Campaign Recipient", card.filters),
		}));
		const parts = [];
		if (frm.doc.unsubscribed) {
			parts.push(`<span class="indicator-pill red">${__("Opted out")}</span>`);
		}
		if (engagement.last_engagement) {
			parts.push(__("Last engagement: {0}", [app.when(engagement.last_engagement)]));
		}
		const all = app.list_url("Campaign Recipient", { contact: ["=", frm.doc.name] });
		parts.push(app.link(all, __("All of it")));
		const $footer = $(`<p class="text-muted small">${parts.join(" · ")}</p>`);
		frm.dashboard.add_section($("<div>").append(app.number_cards(cards), $footer), __("Zoho Campaigns"));
		frm.dashboard.show();
	},
});
