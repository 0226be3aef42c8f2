// Shared by the forms and lists of this app: calls, links, cards, and the progress of a sync.

frappe.provide("erpnext_zoho_integration");

(function (app) {
	const MODULE = "erpnext_zoho_integration.erpnext_zoho_integration";
	const POLL_SECONDS = 2;
	// While the server's events arrive, polling is only a safeguard in case they stop.
	const POLL_SECONDS_WITH_EVENTS = 15;
	const ACTIVE = ["Queued", "Running", "Waiting"];

	app.RUN_INDICATORS = {
		Queued: "orange",
		Running: "blue",
		Waiting: "orange",
		Success: "green",
		Partial: "yellow",
		Failed: "red",
		Cancelled: "gray",
	};

	app.ACTION_INDICATORS = {
		Sent: "gray",
		Opened: "blue",
		Clicked: "green",
		"Hard Bounced": "red",
		"Soft Bounced": "orange",
		Unsubscribed: "yellow",
		Complaint: "red",
	};

	// Whether the user may start and cancel a sync of all campaigns.
	app.may_sync_all = () =>
		["System Manager", "Sales Manager", "Sales Master Manager"].some((role) => frappe.user.has_role(role));

	app.is_active = (status) => ACTIVE.includes(status);

	app.escape = (text) => frappe.utils.escape_html(cstr(text));

	// `path` names a function within the module, such as "api.sync.cancel_run".
	// Both resolve to the answer; with `freeze_message` the page is blocked until it arrives. After an error, which
	// Frappe shows to the user, they never resolve.
	app.ask = (path, args, freeze_message) => unless_failed(call("GET", path, args, freeze_message));
	app.act = (path, args, freeze_message) => unless_failed(call("POST", path, args, freeze_message));

	const unless_failed = (promise) => new Promise((resolve) => promise.then(resolve, () => {}));

	function call(type, path, args, freeze_message) {
		const method = `${MODULE}.${path}`;
		const freeze = Boolean(freeze_message);
		return Promise.resolve(frappe.call({ method, args, type, freeze, freeze_message })).then(
			(answer) => answer.message
		);
	}

	app.list_url = (doctype, filters) => {
		const query = Object.entries(filters).map(
			([field, value]) => `${encodeURIComponent(field)}=${encodeURIComponent(JSON.stringify(value))}`
		);
		const path = frappe.router.make_url([frappe.router.slug(doctype), "view", "list"]);
		return query.length ? `${path}?${query.join("&")}` : path;
	};

	app.form_url = (doctype, name) => frappe.router.make_url([frappe.router.slug(doctype), name]);

	// Underlined, because colour alone does not mark a link for everyone.
	app.link = (url, html) => `<a href="${app.escape(url)}"><u>${html}</u></a>`;

	// A link that leaves the Desk; only http and https addresses become links.
	app.external_link = (url, label) => {
		if (!/^https?:\/\//i.test(url || "")) return "";
		const text = `<u>${app.escape(label)}</u>`;
		return `<a href="${app.escape(url)}" target="_blank" rel="noopener noreferrer">${text}</a>`;
	};

	app.number = (value) => format_number(value, null, 0);

	app.percent = (value) => `${format_number(value, null, 1)}\u00a0%`;

	// A time of the site in the user's time zone and format.
	app.when = (datetime) =>
		`<span class="text-nowrap">${app.escape(frappe.datetime.str_to_user(datetime))}</span>`;

	// The same without seconds, for a list column.
	app.when_short = (datetime) => {
		const moment = frappe.datetime.convert_to_user_tz(datetime, false);
		return app.escape(moment.format(`${frappe.datetime.get_user_date_fmt().toUpperCase()} HH:mm`));
	};

	// Number cards that are links; `cards` are { key, label, value, note, title, url }. `note` is HTML.
	app.number_cards = (cards) => {
		const html = cards.map((card) => {
			const tag = card.url ? "a" : "div";
			const target = card.url ? `href="${app.escape(card.url)}"` : "";
			return `<div class="col-6 col-md-3 mb-3">
				<${tag} ${target} class="widget number-widget-box h-100" data-card="${app.escape(card.key)}"
					title="${app.escape(card.title || "")}">
					<div class="widget-head"><div class="widget-label">
						<div class="widget-title">${app.escape(card.label)}</div>
					</div></div>
					<div class="widget-body"><div class="widget-content">
						<div class="number">${app.escape(card.value)}</div>
						<div class="text-muted small zoho-note">${card.note || ""}</div>
					</div></div>
				</${tag}>
			</div>`;
		});
		return $(`<div class="row zoho-cards">${html.join("")}</div>`);
	};

	// Shows the progress of a run in `$area` until it ends, then calls `on_end(progress)`. Stops if the area leaves the page.
	app.follow_run = (run, $area, on_end) => {
		const $progress = $(`<div class="progress-chart">
			<div class="progress bg-transparent border" role="progressbar" aria-valuemin="0" aria-valuemax="100">
				<div class="progress-bar progress-bar-success"></div>
			</div>
			<p class="text-muted small">
				<span class="progress-message" aria-live="polite"></span> <span class="zoho-actions"></span>
			</p>
		</div>`).appendTo($area.empty());
		$progress.find(".progress").attr("aria-label", __("Syncing with Zoho Campaigns"));
		let timer = null;
		let pace = POLL_SECONDS;

		const stop = () => {
			clearTimeout(timer);
			frappe.realtime.off("zoho_sync_progress", on_news);
		};
		const show = (progress) => {
			const percent = Math.floor(progress.percent || 0);
			$progress.find(".progress").attr("aria-valuenow", percent);
			$progress.find(".progress-bar").css("width", `${percent}%`);
			const parts = [__(progress.status, null, "Zoho Sync Run"), progress.text];
			if (progress.resume_at) {
				parts.push(__("continues at {0}", [frappe.datetime.str_to_user(progress.resume_at)]));
			} else if (progress.seconds_left) {
				parts.push(__("about {0} left", [frappe.utils.get_formatted_duration(progress.seconds_left)]));
			}
			if (progress.cancel_requested) parts.push(__("Stopping after the current page"));
			$progress.find(".progress-message").text(parts.join(" · "));
			show_actions(progress);
		};
		// Redrawn only when they change: a button must not be replaced while somebody is about to click it.
		const show_actions = ({ may_open, may_cancel, cancel_requested }) => {
			const $actions = $progress.find(".zoho-actions");
			const offered = `${may_open} ${may_cancel && !cancel_requested}`;
			if ($actions.data("offered") === offered) return;
			$actions.data("offered", offered).empty();
			if (may_open) {
				$actions.append(" · ", app.link(app.form_url("Zoho Sync Run", run), __("Details")));
			}
			if (may_cancel && !cancel_requested) {
				const $cancel = $(`<button type="button" class="btn btn-xs btn-default"></button>`);
				$cancel.text(__("Cancel")).on("click", () => app.cancel_run(run).then(poll));
				$actions.append(" · ", $cancel);
			}
		};
		// Several requests may be pending, but only one timer.
		const later = (seconds) => {
			clearTimeout(timer);
			timer = setTimeout(poll, seconds * 1000);
		};
		const poll = () => {
			clearTimeout(timer);
			if (!document.contains($progress[0])) return stop();
			if (!$progress.is(":visible") || document.hidden) return later(POLL_SECONDS);
			return call("GET", "desk.sync_progress.get_progress", { run }).then(
				(progress) => {
					if (!document.contains($progress[0])) return stop();
					if (progress.active) {
						show(progress);
						return later(pace);
					}
					stop();
					$progress.remove();
					on_end && on_end(progress);
				},
				(error) => {
					// The server may be restarting: ask again, less often. Stop if the run was deleted or may not be read.
					if (![403, 404].includes(error?.status)) return later(POLL_SECONDS * 5);
					stop();
					$progress.remove();
				}
			);
		};
		function on_news(news) {
			if (!news || news.run !== run) return;
			pace = POLL_SECONDS_WITH_EVENTS;
			poll();
		}
		frappe.realtime.on("zoho_sync_progress", on_news);
		return poll();
	};

	app.cancel_run = (run) =>
		app.act("api.sync.cancel_run", { run }).then(() =>
			frappe.show_alert({ message: __("The sync stops after the current page."), indicator: "orange" })
		);

	app.announce_end = (progress) => {
		const message = app.escape(progress.message || __(progress.status, null, "Zoho Sync Run"));
		const more = progress.may_open
			? ` ${app.link(app.form_url("Zoho Sync Run", progress.run), __("Details"))}`
			: "";
		const indicator = progress.status === "Cancelled" ? "orange" : app.RUN_INDICATORS[progress.status];
		frappe.show_alert({ message: message + more, indicator }, 10);
	};

	// Queues a sync of all campaigns; a large one asks for confirmation first. Resolves to the name of the run.
	app.sync_all = () =>
		app
			.act("api.sync.forecast", {}, __("Checking how much there is to sync..."))
			.then((forecast) => (forecast.large ? confirm_large(forecast) : null))
			.then(start_all);

	const confirm_large = (forecast) =>
		confirm(
			__(
				"Sync {2} campaigns with about {1} recipients? This makes about {0} calls to Zoho, takes about {3} and creates up to {4} Contacts. You can keep working meanwhile.",
				[
					app.number(forecast.calls),
					app.number(forecast.rows),
					app.number(forecast.campaigns),
					frappe.utils.get_formatted_duration(60 * forecast.minutes),
					app.number(forecast.contacts),
				]
			)
		);

	const confirm = (question) => new Promise((resolve) => frappe.confirm(question, resolve));

	// Queues a sync of one campaign; with a `forecast` it asks for confirmation first. Resolves to the name of the run.
	app.sync_campaign = (campaign, forecast) => {
		const start = () =>
			app.act("api.sync.sync_campaign_by_name", { campaign_name: campaign }, __("Starting the sync..."));
		const asked = forecast
			? confirm(
					__(
						"Sync this campaign with about {1} recipients? This makes about {0} calls to Zoho and takes about {2}. You can keep working meanwhile.",
						[
							app.number(forecast.calls),
							app.number(forecast.rows),
							frappe.utils.get_formatted_duration(60 * forecast.minutes),
						]
					)
			  )
			: Promise.resolve();
		return asked.then(start).then((result) => {
			frappe.show_alert({ message: app.escape(result.message), indicator: "blue" });
			return result.run;
		});
	};

	const start_all = () =>
		app.act("api.sync.sync_all_campaigns", {}, __("Starting the sync...")).then((result) => {
			frappe.show_alert({
				message: result.queued ? __("The sync has started.") : __("A sync is already running."),
				indicator: "blue",
			});
			return result.run;
		});

	// Lets the next sync bring back deleted campaigns; `names` are names of Zoho Deleted Campaign.
	app.restore_campaigns = (names) =>
		new Promise((resolve) => {
			const question =
				names.length === 1
					? __("Restore this campaign? The next sync brings it back with its recipients.")
					: __("Restore {0} campaigns? The next sync brings them back with their recipients.", [names.length]);
			const restore = () =>
				frappe
					.call({
						method: "frappe.desk.reportview.delete_items",
						args: { doctype: "Zoho Deleted Campaign", items: names },
						freeze: true,
					})
					.then(() => {
						frappe.show_alert({
							message: __("Restored. Click Sync All Campaigns or wait for the next sync."),
							indicator: "green",
						});
						resolve();
					});
			frappe.confirm(question, restore);
		});

	// Frappe shows four columns on a usual laptop, including name and status. Columns that the user has chosen stay.
	app.show_columns = (listview, total_fields) => {
		const settings = listview.list_view_settings || {};
		if (settings.total_fields || settings.fields) return;
		listview.list_view_settings = { ...settings, total_fields };
		listview.setup_columns();
		listview.render_header(true);
	};

	// Shows a run above the rows of a list and refreshes the list when the run ends.
	app.follow_on_list = (listview, run) => {
		let $area = listview.$frappe_list.find(".zoho-progress");
		if (!$area.length) {
			$area = $(`<div class="zoho-progress p-3"></div>`).prependTo(listview.$frappe_list);
		}
		app.follow_run(run, $area, (progress) => {
			$area.remove();
			app.announce_end(progress);
			listview.refresh();
		});
	};

	// Shows a run above a form's fields and reloads the form when the run ends.
	app.follow_on_form = (frm, run) => {
		const area = frm.dashboard.progress_area;
		area.show();
		frm.dashboard.show();
		app.follow_run(run, area.body, (progress) => {
			area.hide();
			app.announce_end(progress);
			if (!frm.is_dirty()) frm.reload_doc();
		});
	};
})(erpnext_zoho_integration);
