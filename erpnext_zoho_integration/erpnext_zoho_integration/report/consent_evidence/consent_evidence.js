// Filters of Consent Evidence; everything else is made by the server.

frappe.query_reports["Consent Evidence"] = {
	filters: [
		{ fieldname: "email", label: __("E-mail Address"), fieldtype: "Data" },
		{ fieldname: "from_date", label: __("From Date"), fieldtype: "Date" },
		{ fieldname: "to_date", label: __("To Date"), fieldtype: "Date" },
	],
};
