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
	const say = (text) => $lines.push($("<p>").addClass("small zoho-consent-overview").attr("dir", "auto").text(text));
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
		$lines.push($("<p>").addClass("small").attr("dir", "auto").html(app.link(url, text)));
	}
	if (found.to_tell.Refused) {
		const url = app.list_url("Zoho Suppressed Address", { told_zoho: "Refused" });
		const text = __("Opt-outs that Zoho refused: {0}", [app.number(found.to_tell.Refused)]);
		$lines.push($("<p>").addClass("small").attr("dir", "auto").html(app.link(url, text)));
	}
	if (found.tell_zoho && found.to_tell["Needs Approval"]) {
		const count = app.number(found.to_tell["Needs Approval"]);
		say(__("{0} boxes were ticked within an hour. Zoho is told about them after your approval.", [count]));
		const $approve = $(`<button class="btn btn-xs btn-primary">${__("Approve")}</button>`);
		$approve.on("click", () => app.act("api.consent.approve_telling").then(() => frm.reload_doc()));
		$lines.push($approve);
	}
	if (found.back) $lines.push(...app.consent_at_zoho(frm, found));
	if (!$lines.length) return;
	frm.dashboard.add_section($("<div>").append($lines), __("Consent"));
	frm.dashboard.show();
};

// Opt-outs that Zoho may have taken back: bursts after a mailing, and people who are active there again.
erpnext_zoho_integration.consent_at_zoho = (frm, found) => {
	const app = erpnext_zoho_integration;
	const $lines = found.bursts.map((burst) => {
		const link = app.link(app.form_url("Campaign", burst.campaign), burst.campaign);
		const text = __("{0} opt-outs of {1} came right after sending {2}: perhaps a program that follows every link.", [
			app.number(burst.count),
			app.escape(burst.domain),
			link,
		]);
		const $line = $("<p>").addClass("small zoho-burst").attr("dir", "auto").html(text);
		if (burst.back) {
			const label = __("Release {0} of Them", [app.number(burst.back)]);
			$(`<button class="btn btn-xs btn-default ml-2"></button>`)
				.text(label)
				.on("click", () => app.ask_to_release_burst(frm, burst))
				.appendTo($line);
		}
		return $line;
	});
	const asked = found.back["Subscribed Again"];
	if (asked) {
		const url = app.list_url("Zoho Suppressed Address", { back_at_zoho: "Subscribed Again" });
		const text = __("Asked to be subscribed again: {0}", [app.number(asked)]);
		$lines.push($("<p>").addClass("small").attr("dir", "auto").html(app.link(url, text)));
	}
	if (Object.keys(found.counts).includes("Opted Out")) {
		const $check = $(`<button class="btn btn-xs btn-default zoho-check"></button>`).text(__("Check at Zoho"));
		$check.attr("title", __("Reads Zoho's mailing lists: who opted out and is active there again? Releases nobody."));
		$check.on("click", () => app.check_at_zoho());
		$lines.push($check);
	}
	return $lines;
};

erpnext_zoho_integration.check_at_zoho = () => {
	erpnext_zoho_integration.act("api.consent.check_at_zoho").then(({ missing_scopes }) => {
		if (missing_scopes.length) return erpnext_zoho_integration.say_authorize_again(missing_scopes);
		frappe.show_alert(__("Zoho's mailing lists are being read. You will be told how it ended."), 7);
	});
};

erpnext_zoho_integration.ask_to_release_burst = (frm, { campaign, domain, back }) => {
	const app = erpnext_zoho_integration;
	const question = __(
		"{0} people of {1} opted out right after {2} and are active in Zoho's mailing lists again. They will get marketing e-mail from ERPNext again. Zoho's rows are kept as proof.",
		[app.number(back), domain, campaign].map(app.escape)
	);
	const release = () => app.act("api.consent.release_burst", { campaign, domain }).then(() => frm.reload_doc());
	frappe.warn(__("Opt-out Withdrawn at Zoho"), question, release, __("Release"));
};

erpnext_zoho_integration.say_authorize_again = (missing_scopes) => {
	const text = __("Click Authorize with Zoho once more, so that Zoho grants: {0}", [missing_scopes.join(", ")]);
	frappe.msgprint({ title: __("Authorize Again"), message: text, indicator: "orange" });
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
			if (missing_scopes.length) app.say_authorize_again(missing_scopes);
			frm.reload_doc();
		});
	}
};
