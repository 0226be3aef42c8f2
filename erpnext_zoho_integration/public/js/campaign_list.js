// List of Campaigns: Zoho's status, and Sync All Campaigns for the roles that may sync.

(function () {
	const settings = (frappe.listview_settings["Campaign"] = frappe.listview_settings["Campaign"] || {});
	settings.add_fields = [...(settings.add_fields || []), "zoho_campaign_status"];
	const get_indicator = settings.get_indicator;
	settings.get_indicator = (doc) => {
		const status = doc.zoho_campaign_status;
		if (!status) return get_indicator && get_indicator(doc);
		return [__(status), status === "Sent" ? "green" : "gray", `zoho_campaign_status,=,${status}`];
	};
	const onload = settings.onload;
	settings.onload = function (listview) {
		onload && onload(listview);
		const app = erpnext_zoho_integration;
		app.show_columns(listview, 6);
		if (!app.may_sync_all()) return;
		const follow = (run) => app.follow_on_list(listview, run);
		listview.page.add_inner_button(__("Sync All Campaigns"), () => app.sync_all().then(follow));
		app.ask("desk.sync_progress.get_active_run").then((run) => run && follow(run));
	};
})();
