// List of Zoho Sync Runs: the result of each run, and Sync All Campaigns.

frappe.listview_settings["Zoho Sync Run"] = {
	add_fields: ["status", "cancel_requested"],
	hide_name_column: false,

	get_indicator(doc) {
		const color = erpnext_zoho_integration.RUN_INDICATORS[doc.status] || "gray";
		return [__(doc.status, null, "Zoho Sync Run"), color, `status,=,${doc.status}`];
	},

	formatters: {
		// Without the year it fits into a narrow column; the title has the year.
		started_at(value) {
			if (!value) return "";
			const app = erpnext_zoho_integration;
			const moment = frappe.datetime.convert_to_user_tz(value, false);
			return `<span title="${app.when_short(value)}">${app.escape(moment.format("D MMM HH:mm"))}</span>`;
		},
	},

	onload(listview) {
		const app = erpnext_zoho_integration;
		app.show_columns(listview, 6);
		if (!app.may_sync_all()) return;
		const follow = (run) => app.follow_on_list(listview, run);
		listview.page.add_inner_button(__("Sync All Campaigns"), () => app.sync_all().then(follow));
		app.ask("desk.sync_progress.get_active_run").then((run) => run && follow(run));
	},
};
