// Form of Zoho Settings: connects the site to Zoho, shows the state of the connection, starts syncs.

frappe.provide("erpnext_zoho_integration");

frappe.ui.form.on("Zoho Settings", {
	refresh(frm) {
		const zoho = erpnext_zoho_integration.settings;
		zoho.show_outcome();
		zoho.add_copy_button(frm);
		zoho.add_buttons(frm);
		zoho.load_overview(frm);
		zoho.load_time_zones(frm);
	},

	code(frm) {
		frm.refresh();
	},
});

erpnext_zoho_integration.settings = {
	AUTHORIZE: "/api/method/erpnext_zoho_integration.erpnext_zoho_integration.api.oauth.authorize",

	add_buttons(frm) {
		const connection = __("Connection");
		const campaigns = __("Campaigns");
		const active = Boolean(frm.doc.is_active);
		const known = active || frm.doc.connection_status === "Needs Attention";

		if (frm.doc.code) {
			frm.add_custom_button(__("Fetch Tokens"), () => this.fetch_tokens(frm)).addClass("btn-primary");
		}
		if (active) {
			frm.add_custom_button(__("Sync All Campaigns"), () => this.sync_all(frm)).addClass("btn-primary");
			frm.add_custom_button(__("View Campaigns"), () => this.view_campaigns(), campaigns);
			frm.add_custom_button(__("Test Connection"), () => this.test_connection(frm), connection);
			frm.add_custom_button(__("Refresh Token"), () => this.refresh_token(frm), connection);
			frm.add_custom_button(__("Authorize with Zoho"), () => this.authorize(frm), connection);
		} else {
			frm.add_custom_button(__("Authorize with Zoho"), () => this.authorize(frm)).addClass("btn-primary");
		}
		if (known) {
			frm.add_custom_button(__("Disconnect"), () => this.disconnect(frm), connection);
		}
		frm.add_custom_button(__("Sync Runs"), () => frappe.set_route("List", "Zoho Sync Run"), campaigns);
		frm.add_custom_button(
			__("Restore Deleted Campaigns"),
			() => frappe.set_route("List", "Zoho Deleted Campaign"),
			campaigns
		);
	},

	add_copy_button(frm) {
		const $field = frm.get_field("redirect_uri").$wrapper;
		$field.find(".zoho-copy").remove();
		$(`<button type="button" class="btn btn-xs btn-default zoho-copy mt-2"></button>`)
			.text(__("Copy Redirect URI"))
			.on("click", () => frappe.utils.copy_to_clipboard(frm.doc.redirect_uri))
			.appendTo($field.find(".control-input-wrapper"));
	},

	// `started` is a run that the user has just started here; it may have ended before the overview arrives.
	load_overview(frm, started) {
		erpnext_zoho_integration.ask("desk.settings.get_overview").then((overview) => {
			frm.set_df_property("data_center", "options", overview.data_centers);
			this.show_headline(frm, overview);
			if (overview.paused) this.add_go_on(frm, overview);
			this.show_budget(frm, overview);
			const run = started || overview.active_run;
			if (run) erpnext_zoho_integration.follow_on_form(frm, run);
		});
	},

	load_time_zones(frm) {
		this.time_zones =
			this.time_zones ||
			frappe.xcall("frappe.core.doctype.user.user.get_timezones").then((answer) => answer.timezones);
		this.time_zones.then((zones) => frm.set_df_property("account_time_zone", "options", zones));
	},

	show_headline(frm, overview) {
		const { escape } = erpnext_zoho_integration;
		frm.dashboard.clear_headline();
		const status = frm.doc.connection_status;
		if (overview.paused) {
			frm.dashboard.set_headline_alert(`<b>${__("Paused")}:</b> ${escape(overview.paused)}`, "red");
		} else if (status === "Connected") {
			const color = overview.problems.length ? "orange" : "green";
			frm.dashboard.set_headline_alert(this.connected_text(frm, overview), color);
		} else if (status === "Needs Attention") {
			const reason = frm.doc.connection_error || __("Click Authorize with Zoho.");
			const head = this.other_host(frm);
			frm.dashboard.set_headline_alert(`${head}<b>${__("Needs Attention")}:</b> ${escape(reason)}`, "red");
		} else {
			frm.dashboard.set_headline_alert(this.steps(frm), "blue");
		}
	},

	// Zoho sends the browser to the host of the redirect URI, where a user who is logged in on another host is a guest.
	other_host(frm) {
		const host = /^https?:\/\/([^/]+)/.exec(frm.doc.redirect_uri)?.[1];
		if (!host || host === window.location.host) return "";
		const text = __(
			"You are on {0}, but Zoho will send you back to {1}, the configured address of this site. Log in there before you authorize, or ask your administrator to correct host_name in site_config.json.",
			[window.location.host, host]
		);
		return `<p class="mb-2">${erpnext_zoho_integration.escape(text)}</p>`;
	},

	connected_text(frm, overview) {
		const app = erpnext_zoho_integration;
		const who = [overview.connected_by || "", overview.data_center || frm.doc.data_center].map(app.escape);
		const lines = [`<b>${__("Connected to Zoho Campaigns by {0} ({1})", who)}</b>`];
		if (overview.last_run) {
			const run = overview.last_run;
			const link = app.link(app.form_url("Zoho Sync Run", run.name), __(run.status, null, "Zoho Sync Run"));
			lines.push(__("Last sync: {0}, {1}", [app.when(run.finished_at), link]));
		} else if (!overview.active_run) {
			lines.push(__("Nothing has been synced yet. Click Sync All Campaigns."));
		}
		if (overview.active_run) {
			lines.push(__("A sync is running."));
		} else if (overview.scheduler_inactive) {
			lines.push(__("The scheduler of this site is disabled, so campaigns are not synced automatically."));
		} else if (overview.next_sync) {
			lines.push(__("Next sync: {0}", [app.when(overview.next_sync)]));
		}
		if (overview.problems.includes("Stale")) {
			lines.push(__("No sync has succeeded for a long time. Check that the background workers are running."));
		}
		return lines.join(" · ");
	},

	// How many calls are left and how long the token is valid; explains why a sync waits.
	show_budget(frm, overview) {
		frm.dashboard.parent.find(".zoho-budget").remove();
		// During a sync these numbers change with each call, and its progress bar says what it waits for.
		if (overview.active_run || !overview.budget.length) return;
		const app = erpnext_zoho_integration;
		const rows = overview.budget.map((method) => {
			const left = __("{0} of {1} calls left", [app.number(method.left), app.number(method.calls)]);
			const locked = method.locked_until
				? __("locked by Zoho until {0}", [app.when(method.locked_until)])
				: "";
			const pill = locked ? `<span class="indicator-pill red">${locked}</span>` : left;
			return `<div class="col-6 col-md-3 mb-2"><div class="text-muted small">${app.escape(
				method.label
			)}</div><div>${pill}</div></div>`;
		});
		const token = overview.token_until
			? __("The access token is valid until {0} and is renewed automatically.", [app.when(overview.token_until)])
			: "";
		const explanation = __("Zoho limits how often each API method may be called in five minutes.");
		frm.dashboard.add_section(
			$(`<div><div class="row">${rows.join("")}</div>
				<p class="text-muted small mb-0">${explanation} ${token}</p></div>`),
			__("Calls to Zoho"),
			"custom zoho-budget"
		);
		frm.dashboard.show();
	},

	steps(frm) {
		const { escape } = erpnext_zoho_integration;
		const steps = [
			__("In the Zoho API console, add a client of type Server-based Applications with the Redirect URI below."),
			__("Enter its Client ID and Client Secret here and choose the data centre of your Zoho account."),
			__("Click Authorize with Zoho and grant access."),
		];
		const reason = frm.doc.connection_error ? `<p>${escape(frm.doc.connection_error)}</p>` : "";
		const items = steps.map((step) => `<li>${step}</li>`).join("");
		const head = this.other_host(frm) + reason;
		return `${head}<b>${__("Connect your Zoho account")}</b><ol class="mb-0 pl-4">${items}</ol>`;
	},

	// After Zoho has sent the browser back: `?zoho=connected` or `?zoho=failed`.
	show_outcome() {
		const outcome = (frappe.route_options || {}).zoho || frappe.utils.get_url_arg("zoho");
		if (!outcome) return;
		if (frappe.route_options) delete frappe.route_options.zoho;
		window.history.replaceState(null, "", window.location.pathname);
		if (outcome === "connected") {
			frappe.show_alert({ message: __("Connected to Zoho Campaigns."), indicator: "green" }, 10);
		} else if (outcome === "failed") {
			erpnext_zoho_integration.act("api.oauth.take_failure").then((reason) => {
				frappe.msgprint({
					title: __("Not connected"),
					message: erpnext_zoho_integration.escape(reason || __("Click Authorize with Zoho again.")),
					indicator: "red",
				});
			});
		}
	},

	async authorize(frm) {
		if (!frm.doc.client_id || !frm.doc.client_secret) {
			frappe.msgprint({
				title: __("Client ID or Secret Missing"),
				message: __("Enter the Client ID and Client Secret from the Zoho API console first."),
				indicator: "orange",
			});
			return;
		}
		if (frm.is_dirty()) await frm.save();
		if (!frm.is_dirty()) window.location.assign(this.AUTHORIZE);
	},

	async fetch_tokens(frm) {
		const app = erpnext_zoho_integration;
		const code = frm.doc.code;
		frm.doc.code = null;
		// The code expires after a minute or two, so exchange it at once; only the client must be saved before.
		if (frm.is_dirty() && (frm.doc.client_id || frm.doc.client_secret)) await frm.save();
		await app.act("api.oauth.fetch_tokens", { code }, __("Contacting Zoho..."));
		frappe.show_alert({ message: __("Connected to Zoho Campaigns."), indicator: "green" });
		frm.reload_doc();
	},

	// What a pause asks about is answered by Go On, Disconnect or Authorize with Zoho.
	add_go_on(frm, overview) {
		const go_on = () =>
			erpnext_zoho_integration.act("api.oauth.go_on", {}, __("Saving...")).then(() => frm.reload_doc());
		frm.add_custom_button(__("Go On"), () =>
			frappe.warn(
				__("Go on with this connection?"),
				erpnext_zoho_integration.escape(overview.paused),
				go_on,
				__("Go On")
			)
		);
	},

	test_connection(frm) {
		erpnext_zoho_integration
			.act("api.campaigns.test_connection", {}, __("Contacting Zoho..."))
			.then((result) => {
				const center = frappe.utils.escape_html(result.data_center);
				frappe.msgprint({
					title: __("Connected"),
					message: __("Connected to Zoho ({0}). {1} campaigns found.", [center, cint(result.total_count)]),
					indicator: "green",
				});
				frm.reload_doc();
			});
	},

	refresh_token(frm) {
		erpnext_zoho_integration.act("api.oauth.refresh_access_token", {}, __("Contacting Zoho...")).then(() => {
			frappe.show_alert({ message: __("Access token refreshed."), indicator: "green" });
			frm.reload_doc();
		});
	},

	disconnect(frm) {
		frappe.confirm(
			__("Disconnect from Zoho? The tokens are revoked and deleted. Campaigns and recipients stay."),
			() =>
				erpnext_zoho_integration
					.act("api.oauth.disconnect", {}, __("Disconnecting..."))
					.then((result) => {
						frappe.show_alert({
							message: result.revoked
								? __("Disconnected.")
								: __("Disconnected here, but Zoho did not confirm it. Remove this client under Connected Apps in your Zoho account."),
							indicator: result.revoked ? "green" : "orange",
						});
						frm.reload_doc();
					})
		);
	},

	sync_all(frm) {
		erpnext_zoho_integration
			.sync_all()
			.then((run) => this.load_overview(frm, run));
	},

	view_campaigns() {
		erpnext_zoho_integration
			.ask("api.campaigns.get_recent_campaigns", { limit: 50 }, __("Contacting Zoho..."))
			.then((result) => this.show_campaigns(result));
	},

	show_campaigns(result) {
		const { escape } = erpnext_zoho_integration;
		const dialog = new frappe.ui.Dialog({ title: __("Campaigns in Zoho"), size: "extra-large" });
		const rows = result.campaigns.map((campaign) => {
			const cells = [
				campaign.campaign_name,
				campaign.subject,
				campaign.campaign_status,
				campaign.sent_date_string,
			];
			return `<tr>${cells.map((cell) => `<td dir="auto">${escape(cell)}</td>`).join("")}</tr>`;
		});
		const head = [__("Name"), __("Subject"), __("Status"), __("Sent (time zone of the Zoho account)")];
		$(dialog.body).append(
			$(`<p class="text-muted"></p>`).text(
				__("The newest {0} of {1} campaigns, live from Zoho.", [
					cint(result.fetched_count),
					cint(result.total_count),
				])
			),
			`<div class="table-responsive"><table class="table table-bordered table-hover">
				<thead><tr>${head.map((label) => `<th scope="col">${label}</th>`).join("")}</tr></thead>
				<tbody>${rows.join("")}</tbody>
			</table></div>`
		);
		dialog.show();
	},
};
