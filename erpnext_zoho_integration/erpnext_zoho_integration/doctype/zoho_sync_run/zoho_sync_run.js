// Form of a Zoho Sync Run: its progress, then what changed and what went wrong.

frappe.provide("erpnext_zoho_integration");

frappe.ui.form.on("Zoho Sync Run", {
	refresh(frm) {
		const app = erpnext_zoho_integration;
		frm.disable_save();
		frm.page.set_indicator(
			__(frm.doc.status, null, "Zoho Sync Run"),
			app.RUN_INDICATORS[frm.doc.status] || "gray"
		);
		if (app.is_active(frm.doc.status)) {
			app.follow_on_form(frm, frm.doc.name);
			if (app.may_sync_all() && !frm.doc.cancel_requested) {
				frm.add_custom_button(__("Cancel Sync"), () =>
					app.cancel_run(frm.doc.name).then(() => frm.reload_doc())
				);
			}
			return;
		}
		frm.dashboard.clear_headline();
		if (frm.doc.message) {
			frm.dashboard.set_headline_alert(app.escape(frm.doc.message), app.RUN_INDICATORS[frm.doc.status]);
		}
		app.run.show_errors(frm);
		app.run.show_changes(frm);
		if (["Failed", "Partial", "Cancelled"].includes(frm.doc.status)) {
			frm.add_custom_button(__("Sync Again"), () => erpnext_zoho_integration.run.again(frm)).addClass(
				"btn-primary"
			);
		}
		if (frappe.model.can_read("Zoho Settings")) {
			frm.add_custom_button(__("Zoho Settings"), () => frappe.set_route("Form", "Zoho Settings"));
		}
	},
});

erpnext_zoho_integration.run = {
	SHOWN: 10,

	// A new run does not fetch again what this one stored, so a retry is always safe.
	again(frm) {
		this.start(frm.doc.campaign);
	},

	start(campaign) {
		const app = erpnext_zoho_integration;
		const started = campaign ? app.sync_campaign(campaign) : app.sync_all();
		started.then((run) => frappe.set_route("Form", "Zoho Sync Run", run));
	},

	// Lists each campaign that changed, with a link to the changed recipients.
	show_changes(frm) {
		const app = erpnext_zoho_integration;
		const rows = (frm.doc.campaigns || []).filter(
			(row) => row.campaign && (row.status !== "Failed" || this.counts(row)),
		);
		const $list = $(`<ul class="list-unstyled mb-0"></ul>`);
		for (const row of rows.slice(0, this.SHOWN)) {
			const link = app.link(
				app.form_url("Campaign", row.campaign),
				app.escape(row.campaign_name || row.campaign)
			);
			const changed = { campaign: ["=", row.campaign], modified: [">=", frm.doc.started_at] };
			const counts = this.counts(row);
			const recipients = app.list_url("Campaign Recipient", changed);
			const where = counts ? app.link(recipients, counts) : __("New figures");
			$list.append(`<li class="mb-1"><span dir="auto">${link}</span> · ${where}</li>`);
		}
		if (rows.length > this.SHOWN) {
			$list.append($(`<li class="text-muted"></li>`).text(this.more(rows.length)));
		}
		if (frm.doc.contacts_created) {
			const made = { creation: [">=", frm.doc.started_at], zoho_last_synced: ["is", "set"] };
			const text = __("{0} Contacts created", [app.number(frm.doc.contacts_created)]);
			$list.append(`<li class="mt-2">${app.link(app.list_url("Contact", made), text)}</li>`);
		}
		if ($list.children().length) this.add_section(frm, $list, __("What Changed"));
	},

	counts(row) {
		const app = erpnext_zoho_integration;
		return [
			row.rows_inserted && __("{0} new recipients", [app.number(row.rows_inserted)]),
			row.rows_updated && __("{0} changed", [app.number(row.rows_updated)]),
		]
			.filter(Boolean)
			.join(", ");
	},

	// Lists each error with a button: retry its campaign, or open the settings.
	show_errors(frm) {
		const errors = (frm.doc.errors || []).filter((row) => row.severity === "Error");
		if (!errors.length) return;
		const $list = $(`<ul class="list-unstyled mb-0"></ul>`);
		for (const row of errors.slice(0, this.SHOWN)) {
			const $item = $(`<li class="mb-3"><div class="font-weight-bold" dir="auto"></div>
				<div dir="auto"></div></li>`).appendTo($list);
			$item.children().eq(0).text(row.campaign_name || row.campaign || "");
			$item.children().eq(1).text(row.message);
			$item.append(this.remedy(row));
		}
		if (errors.length > this.SHOWN) {
			$list.append($(`<li class="text-muted"></li>`).text(this.more(errors.length)));
		}
		this.add_section(frm, $list, __("What Went Wrong"));
	},

	remedy(row) {
		const app = erpnext_zoho_integration;
		const button = (label, action) =>
			$(`<button type="button" class="btn btn-xs btn-default mt-1"></button>`).text(label).on("click", action);
		if (row.stage === "Connect") {
			if (!frappe.model.can_read("Zoho Settings")) return $();
			return button(__("Open Zoho Settings"), () => frappe.set_route("Form", "Zoho Settings"));
		}
		if (!app.may_sync_all()) return $();
		const label = row.campaign ? __("Retry This Campaign") : __("Retry");
		return button(label, () => this.start(row.campaign));
	},

	more: (total) => __("The table below lists all {0}.", [total]),

	add_section(frm, $body, title) {
		frm.dashboard.add_section($body, title);
		frm.dashboard.show();
	},
};
