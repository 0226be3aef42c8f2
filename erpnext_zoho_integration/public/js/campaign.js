// Campaign: the figures that Zoho counted, links to the people they count, and Sync from Zoho.

frappe.ui.form.on("Campaign", {
	refresh(frm) {
		if (frm.is_new() || !frm.doc.zoho_campaign_key) return;
		const zoho = erpnext_zoho_integration.campaign;
		zoho.add_buttons(frm);
		zoho.show_figures(frm);
		const run = (frm.doc.__onload?.zoho || {}).active_run;
		if (run) erpnext_zoho_integration.follow_on_form(frm, run);
	},
});

erpnext_zoho_integration.campaign = {
	add_buttons(frm) {
		const group = __("Zoho Campaigns");
		if (frm.perm[0]?.write) {
			frm.add_custom_button(__("Sync from Zoho"), () => this.sync(frm), group);
		}
		if (frappe.model.can_read("Campaign Recipient")) {
			frm.add_custom_button(
				__("View Recipients"),
				() => frappe.set_route("List", "Campaign Recipient", { campaign: frm.doc.name }),
				group
			);
		}
		frm.add_custom_button(
			__("Campaign Performance"),
			() => frappe.set_route("query-report", "Campaign Performance", { campaign: frm.doc.name }),
			group
		);
	},

	sync(frm) {
		erpnext_zoho_integration
			.act("api.sync.sync_campaign_by_name", { campaign_name: frm.doc.name }, __("Starting the sync..."))
			.then((result) => {
				frappe.show_alert({ message: frappe.utils.escape_html(result.message), indicator: "blue" });
				erpnext_zoho_integration.follow_on_form(frm, result.run);
			});
	},

	show_figures(frm) {
		const app = erpnext_zoho_integration;
		const cards = (frm.doc.__onload?.zoho || {}).cards || [];
		const $body = $("<div>");
		if (cards.length) {
			$body.append(app.number_cards(cards.map((card) => this.as_number_card(frm, card))));
		} else {
			$body.append($(`<p class="text-muted">`).text(__("Zoho has no figures of this campaign yet.")));
		}
		$body.append(this.footer(frm));
		frm.dashboard.add_section($body, __("Zoho Campaigns"));
		frm.dashboard.show();
		$body.find("[data-card=delivered]").on("click", (event) => this.open_delivered(frm, event));
	},

	as_number_card(frm, card) {
		const app = erpnext_zoho_integration;
		const readable = frappe.model.can_read("Campaign Recipient");
		const filters = card.filters || { campaign: ["=", frm.doc.name], action_type: ["=", "Sent"] };
		return {
			key: card.key,
			label: card.label,
			value: app.number(card.value),
			note: card.rate === null ? "" : app.percent(card.rate),
			title: readable ? __("Show the recipients: {0}", [card.label]) : "",
			url: readable ? app.list_url("Campaign Recipient", filters) : null,
		};
	},

	// Who received the mail is known only as who was sent it and did not bounce.
	open_delivered(frm, event) {
		if (event.ctrlKey || event.metaKey || event.shiftKey) return;
		event.preventDefault();
		event.stopPropagation();
		erpnext_zoho_integration
			.ask("desk.campaign.delivered_filters", { campaign: frm.doc.name })
			.then(({ filters, complete }) => {
				if (!complete) {
					frappe.show_alert({
						message: __("So many bounced that they cannot be left out: this is everyone the e-mail was sent to."),
						indicator: "orange",
					});
				}
				frappe.set_route("List", "Campaign Recipient", filters);
			});
	},

	footer(frm) {
		const app = erpnext_zoho_integration;
		const parts = [];
		if (frm.doc.zoho_sent_time) parts.push(__("Sent {0}", [app.when(frm.doc.zoho_sent_time)]));
		if (frm.doc.last_synced) parts.push(__("Data as of {0}", [app.when(frm.doc.last_synced)]));
		const preview = app.external_link(frm.doc.zoho_preview_url, __("Preview"));
		if (preview) parts.push(preview);
		return $(`<p class="text-muted small">${parts.join(" · ")}</p>`);
	},
};
