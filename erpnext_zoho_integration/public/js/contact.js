// Forms of Contact, Lead and Customer: how their people reacted to campaigns. Forms without campaign activity stay unchanged.

for (const doctype of ["Contact", "Lead", "Customer"]) {
	frappe.ui.form.on(doctype, {
		refresh(frm) {
			const engagement = frm.doc.__onload?.zoho;
			if (!frm.is_new() && engagement) erpnext_zoho_integration.show_engagement(frm, engagement);
		},
	});
}

erpnext_zoho_integration.show_engagement = (frm, engagement) => {
	const app = erpnext_zoho_integration;
	const cards = engagement.cards.map((card) => ({
		key: card.key,
		label: card.label,
		value: app.number(card.value),
		title: __("View recipients: {0}", [card.label]),
		url: app.list_url("Campaign Recipient", card.filters),
	}));
	const { contacts, opted_out } = engagement;
	const parts = [];
	if (opted_out) {
		const text =
			contacts > 1 ? __("{0} of {1} Contacts opted out", [opted_out, contacts]) : __("Opted out");
		parts.push(`<span class="indicator-pill red">${text}</span>`);
	}
	if (engagement.last_engagement) {
		parts.push(__("Last engagement: {0}", [app.when(engagement.last_engagement)]));
	}
	parts.push(app.link(app.list_url("Campaign Recipient", engagement.filters), __("See all activity")));
	const $footer = $(`<p class="text-muted small">${parts.join(" · ")}</p>`);
	frm.dashboard.add_section($("<div>").append(app.number_cards(cards), $footer), __("Zoho Campaigns"));
	frm.dashboard.show();
};
