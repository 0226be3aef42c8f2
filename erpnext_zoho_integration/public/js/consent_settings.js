// Zoho Settings: how many addresses get no marketing e-mail and why, and one click that turns the gate on.

frappe.ui.form.on("Zoho Settings", {
	refresh(frm) {
		if (!frappe.user.has_role("System Manager")) return;
		erpnext_zoho_integration
			.ask("desk.consent.overview")
			.then((found) => erpnext_zoho_integration.show_consent_overview(frm, found));
	},
});

erpnext_zoho_integration.show_consent_overview = (frm, found) => {
	const app = erpnext_zoho_integration;
	const total = Object.values(found.counts).reduce((sum, count) => sum + count, 0);
	const $lines = [];
	const say = (text) => $lines.push($("<p>").addClass("small zoho-consent-overview").text(text));
	if (!found.complete) say(__("Earlier opt-outs are still being read. The numbers will grow."));
	if (found.hold_back && total) {
		const reasons = Object.entries(found.counts).map(([reason, count]) => `${__(reason)}: ${app.number(count)}`);
		say(__("{0} addresses get no marketing e-mail. {1}", [app.number(total), reasons.join(" · ")]));
	} else if (found.impact?.addresses) {
		const { addresses, cleared, leads, members } = found.impact;
		say(
			__(
				"{0} addresses opted out or bounced and can still get Newsletters and Email Campaigns. {1} Contacts among them have a cleared box; {2} Leads and {3} Email Group Members would be marked.",
				[addresses, cleared, leads, members].map(app.number)
			)
		);
		const $button = $(`<button class="btn btn-xs btn-primary">${__("Hold Back Marketing Mail")}</button>`);
		$button.on("click", () => app.act("api.consent.hold_back_marketing_mail").then(() => frm.reload_doc()));
		$lines.push($button);
	}
	if (!$lines.length) return;
	frm.dashboard.add_section($("<div>").append($lines), __("Consent"));
	frm.dashboard.show();
};
