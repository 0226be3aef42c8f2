// Form of a Campaign: Zoho's figures, links to the people behind them, and Sync from Zoho.

frappe.ui.form.on("Campaign", {
	refresh(frm) {
		if (frm.is_new() || !frm.doc.zoho_campaign_key) return;
		const zoho = erpnext_zoho_integration.campaign;
		// The next sync would overwrite a name typed here with Zoho's.
		frm.set_df_property("campaign_name", "read_only", 1);
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
		const app = erpnext_zoho_integration;
		const { forecast } = frm.doc.__onload?.zoho || {};
		app.sync_campaign(frm.doc.name, forecast).then((run) => app.follow_on_form(frm, run));
	},

	show_figures(frm) {
		const app = erpnext_zoho_integration;
		const cards = (frm.doc.__onload?.zoho || {}).cards || [];
		const $body = $("<div>");
		if (cards.length) {
			$body.append(app.number_cards(cards.map((card) => this.as_number_card(frm, card))));
		} else {
			$body.append($(`<p class="text-muted">`).text(__("Zoho has no figures for this campaign yet.")));
		}
		const $insights = $(`<div class="mt-3 pt-1"></div>`);
		$body.append(this.footer(frm), $insights);
		frm.dashboard.add_section($body, __("Zoho Campaigns"));
		frm.dashboard.show();
		if (cards.length) {
			app.ask("desk.campaign.get_insights", { campaign: frm.doc.name }).then((insights) => {
				this.show_averages($body, insights.averages);
				this.when_visible($insights[0], () => this.show_insights(frm, $insights, insights, cards));
			});
		}
	},

	// A chart cannot be drawn while the form is hidden: it has no width.
	when_visible(element, show) {
		new IntersectionObserver((entries, observer) => {
			if (!entries.some((entry) => entry.isIntersecting)) return;
			observer.disconnect();
			show();
		}).observe(element);
	},

	show_averages($body, averages) {
		const app = erpnext_zoho_integration;
		for (const [key, average] of Object.entries(averages)) {
			const text = app.escape(__("your average {0}", [app.percent(average)]));
			$body.find(`[data-card=${key}] .zoho-note`).append(`<div>${text}</div>`);
		}
	},

	show_insights(frm, $area, insights, cards) {
		const app = erpnext_zoho_integration;
		const $row = $(`<div class="row"></div>`).appendTo($area);
		const column = (title) =>
			$(`<div class="col-md-6 mb-4"><h6></h6><div class="zoho-body"></div></div>`)
				.appendTo($row)
				.find("h6")
				.text(title)
				.end()
				.find(".zoho-body");
		const bars = (title, labels, datasets) =>
			new frappe.Chart(column(title)[0], {
				type: "bar",
				height: 200,
				data: { labels, datasets },
				axisOptions: { shortenYAxisNumbers: 1, xAxisMode: "tick", xIsSeries: 1 },
			});

		const funnel = cards.filter((card) => ["sent", "delivered", "opens", "clicks"].includes(card.key));
		column(__("Funnel")).append(this.funnel(funnel));
		if (insights.over_time) {
			const { days, opened, clicked } = this.by_day(insights.over_time);
			bars(
				__("First Opens and Clicks per Day"),
				days.map((day) => moment(day).format("D MMM")),
				[
					{ name: __("Opened"), values: opened },
					{ name: __("Clicked"), values: clicked },
				]
			);
		}
		if (insights.links.length) {
			column(__("Top Links")).append(
				this.table(
					[__("Link"), __("People"), __("Clicks")],
					insights.links.map((link) => [
						app.external_link(link.url, link.url) || app.escape(link.url),
						app.number(link.people),
						link.clicks === null ? "" : app.number(link.clicks),
					])
				)
			);
		}
		if (insights.countries.length) {
			column(__("Opens by Country")).append(
				this.table(
					[__("Country"), __("Opens")],
					insights.countries.map((row) => [app.escape(row.country), app.number(row.opens)])
				)
			);
		}
	},

	// Shows every day, at most four weeks. A narrow chart labels every n-th day and always the last one: with these
	// numbers of days the last label does not overlap another.
	SPANS: [5, 7, 9, 13, 19, 25, 29],

	by_day(time) {
		const first = moment(time.labels[0]);
		const span = moment(time.labels[time.labels.length - 1]).diff(first, "days") + 1;
		const length = this.SPANS.find((size) => size >= span) || 29;
		const days = Array.from({ length }, (_day, index) =>
			first.clone().add(index, "days").format("YYYY-MM-DD")
		);
		const on = (values) => days.map((day) => values[time.labels.indexOf(day)] || 0);
		return { days, opened: on(time.opened), clicked: on(time.clicked) };
	},

	funnel(stages) {
		const app = erpnext_zoho_integration;
		const whole = stages[0]?.value || 0;
		return stages.map((stage, index) => {
			const share = whole ? (100 * stage.value) / whole : 0;
			const of_sent = index ? `· ${__("{0} of sent", [app.percent(share)])}` : "";
			return `<div class="d-flex justify-content-between">
					<span>${app.escape(stage.label)}</span>
					<span>${app.number(stage.value)} <span class="text-muted">${of_sent}</span></span>
				</div>
				<div class="progress bg-transparent border mb-3" role="presentation">
					<div class="progress-bar progress-bar-info" style="width: ${Math.min(100, share)}%"></div>
				</div>`;
		});
	},

	// `rows` hold HTML; every column but the first holds numbers.
	table(head, rows) {
		const align = (index) => (index ? "text-right" : "text-break");
		const header = head.map((label, index) => `<th scope="col" class="${align(index)}">${label}</th>`);
		const body = rows.map(
			(cells) =>
				`<tr>${cells
					.map((cell, index) => `<td class="${align(index)}" dir="auto">${cell}</td>`)
					.join("")}</tr>`
		);
		return `<div class="table-responsive"><table class="table table-sm">
			<thead><tr>${header.join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
	},

	as_number_card(frm, card) {
		const app = erpnext_zoho_integration;
		const readable = frappe.model.can_read("Campaign Recipient");
		return {
			key: card.key,
			label: card.label,
			value: app.number(card.value),
			note: card.rate === null ? "" : app.escape(app.percent(card.rate)),
			title: readable ? __("View recipients: {0}", [card.label]) : "",
			url: readable ? app.list_url("Campaign Recipient", card.filters) : null,
		};
	},

	verdicts: () => ({
		Complete: __("All recipients are here"),
		Explained: __("All recipients are here; some counts differ"),
		Incomplete: __("Some recipients are still missing"),
	}),

	footer(frm) {
		const app = erpnext_zoho_integration;
		const parts = [];
		if (frm.doc.zoho_sent_time) parts.push(__("Sent {0}", [app.when(frm.doc.zoho_sent_time)]));
		if (frm.doc.last_synced) parts.push(__("Data as of {0}", [app.when(frm.doc.last_synced)]));
		const preview = app.external_link(frm.doc.zoho_preview_url, __("Preview"));
		if (preview) parts.push(preview);
		return $(`<p class="text-muted small">${parts.join(" · ")}</p>`).add(this.verdict(frm));
	},

	// Whether all recipients that Zoho counts are stored; the differences unfold below.
	verdict(frm) {
		const app = erpnext_zoho_integration;
		const { verdict, verdict_reason } = (frm.doc.__onload?.zoho || {}).reconciliation || {};
		if (!verdict) return $();
		const color = { Complete: "green", Explained: "blue", Incomplete: "orange" }[verdict];
		const pill = `<span class="indicator-pill ${color}">${app.escape(this.verdicts()[verdict])}</span>`;
		if (!verdict_reason) return $(`<p class="small">${pill}</p>`);
		const reasons = verdict_reason.split("\n").map((line) => `<div>${app.escape(line)}</div>`);
		return $(`<details class="small mb-3"><summary>${pill}</summary>
			<div class="text-muted mt-2 pl-3">${reasons.join("")}</div></details>`);
	},
};
