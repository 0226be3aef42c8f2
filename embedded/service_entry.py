"""The code inside a site's processes: `python -m embedded.service_entry web|worker|scheduler|migrate …`.

Runs in the sites folder of a bench, embedded or real; FRAPPE_SITE names the site.
"""

import logging
import os
import signal
import sys

import frappe
import frappe.utils

SITE = os.environ["FRAPPE_SITE"]


def stay_on_this_machine() -> None:
	"""Stop Contact and Lead from asking gravatar.com at each save. Call it before they are imported."""
	frappe.utils.has_gravatar = lambda email: ""


def web(port: int) -> None:
	"""Serve the site, its assets and its public files on 127.0.0.1 with threads, like `bench serve`."""
	from werkzeug.middleware.shared_data import SharedDataMiddleware
	from werkzeug.serving import WSGIRequestHandler, run_simple

	import frappe.app

	class Quiet(WSGIRequestHandler):
		protocol_version = "HTTP/1.1"

		def log_request(self, *args: object, **kwargs: object) -> None:
			"""Log nothing: URLs contain OAuth codes."""

	logging.getLogger("werkzeug").setLevel(logging.ERROR)
	frappe.app._site, frappe.app._sites_path = SITE, "."
	exports = {"/assets": os.path.abspath("assets"), "/files": os.path.abspath(f"{SITE}/public/files")}
	application = SharedDataMiddleware(frappe.app.application, exports)
	run_simple("127.0.0.1", port, application, threaded=True, request_handler=Quiet)


def worker() -> None:
	"""Run a Frappe worker for all queues until the process is ended."""
	from frappe.utils.background_jobs import start_worker

	start_worker(quiet=True)


def worker_on_demand() -> None:
	"""For each line on standard input, run all queued jobs, then print "done".

	Each job has its own process, as in any worker, so that a job that dies takes nothing with it.
	"""
	from rq import Queue, Worker

	from frappe.utils.background_jobs import generate_qname, get_queues_timeout, get_redis_conn

	answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
	os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # so that output of jobs is not read as an answer
	frappe.init(SITE)
	connection = get_redis_conn()
	queues = [Queue(generate_qname(name), connection=connection) for name in get_queues_timeout()]
	frappe.destroy()
	for _line in sys.stdin:
		Worker(queues, connection=connection).work(burst=True, logging_level="WARNING")
		for number in (signal.SIGINT, signal.SIGTERM):  # the worker has replaced the handlers
			signal.signal(number, signal.SIG_DFL)
		print("done", file=answers, flush=True)


def scheduler() -> None:
	"""Queue due scheduled jobs until the process is ended."""
	from frappe.utils.scheduler import start_scheduler

	start_scheduler()


def make_site(admin_password: str) -> None:
	"""Create the site's database, install the framework and apply the settings of the setup wizard."""
	from frappe.installer import install_app, install_db, make_site_dirs

	frappe.init(SITE, new_site=True)
	make_site_dirs()
	install_db(db_name="site", admin_password=admin_password, db_type="sqlite", verbose=False)
	install_app("frappe")
	finish_setup()
	frappe.destroy()


def finish_setup() -> None:
	"""Store the settings that the setup wizard stores, for a site in English."""
	settings = frappe.get_doc("System Settings")
	settings.update(
		{
			"country": "United States",
			"language": "en",
			"time_zone": "America/New_York",
			"setup_complete": 1,
			"enable_scheduler": 1,
			"date_format": "yyyy-mm-dd",
			"time_format": "HH:mm:ss",
			"number_format": "#,###.##",
			"first_day_of_the_week": "Monday",
		}
	)
	settings.flags.ignore_mandatory = True
	settings.save()
	# Users created before this have the time zone of a site without settings.
	frappe.db.set_value("User", {"name": ("is", "set")}, "time_zone", settings.time_zone)
	frappe.db.set_default("desktop:home_page", "workspace")
	frappe.db.commit()


def install(app: str) -> None:
	"""Install an app on the site."""
	from frappe.installer import install_app

	frappe.init(SITE)
	frappe.connect()
	install_app(app)
	frappe.db.commit()
	frappe.destroy()


def uninstall(app: str) -> None:
	"""Remove an app from the site without a backup. Like `bench uninstall-app`, commit nothing."""
	from frappe.installer import remove_app

	frappe.init(SITE)
	frappe.connect()
	remove_app(app, yes=True, no_backup=True)
	frappe.destroy()


def migrate() -> None:
	"""Migrate the site: run patches, and sync DocTypes and customisations of all installed apps."""
	from frappe.migrate import SiteMigration

	SiteMigration(skip_search_index=True).run(SITE)


COMMANDS = {
	"web": lambda port: web(int(port)),
	"worker": worker,
	"worker-on-demand": worker_on_demand,
	"scheduler": scheduler,
	"make-site": make_site,
	"install-app": install,
	"uninstall-app": uninstall,
	"migrate": migrate,
}

if __name__ == "__main__":
	signal.signal(signal.SIGHUP, signal.SIG_IGN)
	stay_on_this_machine()
	COMMANDS[sys.argv[1]](*sys.argv[2:])
