// The source of the chart People Who Clicked per Week: everything is made by the server.

frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["People Who Clicked per Week"] = {
	method:
		"erpnext_zoho_integration.erpnext_zoho_integration.dashboard_chart_source.people_who_clicked_per_week.people_who_clicked_per_week.get",
	filters: [],
};
