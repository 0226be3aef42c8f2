"""Smoke tests that run on any site with the app: `bench --site SITE run-tests --app erpnext_zoho_integration`."""
