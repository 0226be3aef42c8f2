"""A Frappe site built from package registries alone, for `./dev demo` and the tests. Production runs on a bench.

__main__, lint, console, pictures: the commands of `./dev`; demo, demo_steps, terminal_output: `./dev demo`
virtual_environment, downloads, build_cache, paths: what `.dev/` holds and how it gets there
framework/: the copy of Frappe (source_edits.py and overlay/); erpnext_stand_in/: the part of ERPNext that this app uses
bench: a bench with one site, and its templates; desk_build, frontend/: the bundles of the Desk
services, reaper: Redis, web server, worker, scheduler, and the process that ends them
service_entry: the code that runs inside those processes; browser: Chromium for tests and pictures
"""
