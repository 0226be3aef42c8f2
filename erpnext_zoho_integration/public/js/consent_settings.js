// Zoho Settings: how many addresses get no marketing e-mail and why, and one click that turns the gate on.

frappe.ui.form.on("Zoho Settings", {
	// Ticking the box asks first; see `ask_to_tell_zoho`.
	tell_zoho(frm) {
		if (frm.doc.tell_zoho) erpnext_zoho_integration.ask_to_tell_zoho(frm);
	},

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
	const waiting = found.to_tell.Waiting + found.to_tell["Needs Approval"];
	frm.zoho_to_tell = waiting;
	if (waiting) {
		const url = app.list_url("Zoho Suppressed Address", { told_zoho: ["in", ["Waiting", "Needs Approval"]] });
		const text = __("{0} opt-outs that Zoho does not know yet", [app.number(waiting)]);
		$lines.push($("<p>").addClass("small").html(app.link(url, text)));
	}
	if (found.tell_zoho && found.to_tell["Needs Approval"]) {
		const count = app.number(found.to_tell["Needs Approval"]);
		say(__("{0} boxes were ticked within an hour. Zoho is told about them after your approval.", [count]));
		const $approve = $(`<button class="btn btn-xs btn-primary">${__("Approve")}</button>`);
		$approve.on("click", () => app.act("api.consent.approve_telling").then(() => frm.reload_doc()));
		$lines.push($approve);
	}
	if (!$lines.length) return;
	frm.dashboard.add_section($("<div>").append($lines), __("Consent"));
	frm.dashboard.show();
};

erpnext_zoho_integration.ask_to_tell_zoho = (frm) => {
	const app = erpnext_zoho_integration;
	const question = __(
		"Zoho will mail nothing more to anybody who opts out here, whatever the list. This cannot be undone at Zoho. It concerns {0} people now. The app needs two more permissions of Zoho and asks for them when you authorize again.",
		[app.number(frm.zoho_to_tell || 0)]
	);
	const undo = () => frm.set_value("tell_zoho", 0);
	frappe.warn(__("Tell Zoho About Opt-outs"), question, () => turn_on(), __("Tell Zoho"), true, undo);

	function turn_on() {
		app.act("api.consent.tell_zoho").then(({ missing_scopes }) => {
			if (missing_scopes.length) {
				const text = __("Click Authorize with Zoho once more, so that Zoho grants: {0}", [missing_scopes.join(", ")]);
				frappe.msgprint({ title: __("Authorize Again"), message: text, indicator: "orange" });
			}
			frm.reload_doc();
		});
	}
};
