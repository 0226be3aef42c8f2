"""The text replacements in the copy of Frappe, each with its reason.

The package is Frappe reduced to one app and one site. Most edits undo that; modules that were removed are in
`overlay/`. An edit fails unless its old text occurs exactly as often as it says (once by default), so that no edit
is lost or applied twice.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Edit:
	"""Replace `old` by `new` in `file`, because of `reason`."""

	file: str
	reason: str
	old: str
	new: str
	times: int = 1


def apply(package: Path) -> None:
	"""Apply every edit to the copy of the package in this folder.

	Raises:
		ValueError: the old text of an edit does not occur as often as expected.
	"""
	for edit in EDITS:
		path = package / edit.file
		text = path.read_text()
		if text.count(edit.old) != edit.times:
			raise ValueError(
				f"{edit.file}: found {text.count(edit.old)} times instead of {edit.times}: {edit.old!r}"
			)
		path.write_text(text.replace(edit.old, edit.new))


GOOGLE_ERRORS = "from googleapiclient.errors import HttpError"

EDITS = [
	# Python
	Edit(
		"desk/doctype/event/event.py",
		"The only file that Python 3.10 and 3.11 cannot read: a `type` statement.",
		"	type EventLikeDict = Event | frappe._dict",
		'	EventLikeDict: TypeAlias = "Event | frappe._dict"',
	),
	# Sites and apps
	Edit(
		"__init__.py",
		"It behaves like version 16, and apps ask for the version.",
		'__version__ = "0.0.1"',
		'__version__ = "16.0.0"',
	),
	Edit(
		"__init__.py",
		"A bench has several sites, so `init` takes one.",
		"def init(force: bool = False) -> None:",
		"def init(\n"
		'	site: str | None = None, sites_path: str = ".", new_site: bool = False, force: bool = False\n'
		") -> None:",
	),
	Edit(
		"__init__.py",
		"A site has a folder and a name.",
		"	local.app_path = os.getcwd()\n	local.site_path = os.getcwd()\n",
		"	local.site = local.site_name = site or frappe.config.default_site(sites_path)\n"
		"	local.sites_path = sites_path\n"
		"	local.site_path = os.path.join(sites_path, local.site)\n",
	),
	Edit("__init__.py", "As above.", '"new_site": False', '"new_site": new_site'),
	Edit(
		"__init__.py",
		"`connect` with a site initialises that site.",
		'	from frappe.database import get_db\n\n	if not getattr(local, "initialised", False):\n		init()\n',
		"	from frappe.database import get_db\n\n"
		'	if site:\n		init(site)\n	elif not getattr(local, "initialised", False):\n		init()\n',
	),
	Edit(
		"__init__.py",
		"`init_site` takes a site.",
		"		init()\n		return local",
		'		init(self.site or "")\n		return local',
	),
	Edit(
		"__init__.py",
		"The package returns its own name instead of the site's.",
		'	return "frappe"\n\n\ndef get_site_path',
		'	return getattr(local, "site", None)\n\n\ndef get_site_path',
	),
	Edit(
		"__init__.py",
		"Every app has a path of its own.",
		'return get_pymodule_path("frappe", *joins)',
		"return get_pymodule_path(app_name, *joins)",
	),
	Edit(
		"__init__.py",
		"As above.",
		'return get_pymodule_path("frappe", "..", *joins)',
		'return get_pymodule_path(app_name, "..", *joins)',
	),
	Edit(
		"__init__.py",
		"Several apps: these functions replace the ones above.",
		"# Backward compatibility\nfrom frappe.utils.messages import *",
		"from frappe.bench_apps import (\n"
		"	get_all_apps,\n	get_attr,\n	get_hooks,\n	get_installed_apps,\n"
		"	get_module_list,\n	is_setup_complete,\n	setup_module_map,\n)\n\n"
		"# Backward compatibility\nfrom frappe.utils.messages import *",
	),
	Edit(
		"installer.py",
		"Reading the configuration again must keep the site.",
		"	sites_path = frappe.local.app_path\n	frappe.destroy()\n	frappe.init()",
		"	sites_path = frappe.local.sites_path\n	frappe.destroy()\n	frappe.init(site, sites_path=sites_path)",
	),
	Edit(
		"installer.py",
		"Apps can be installed and removed: these functions replace the ones above.",
		"def _delete_modules(",
		"from frappe.bench_installer import (\n"
		"	add_to_installed_apps,\n	install_app,\n	remove_app,\n	remove_from_installed_apps,\n)\n\n\n"
		"def _delete_modules(",
	),
	Edit(
		"patches.py",
		"Patches of every installed app.",
		'	return get_patches_from_app("frappe", patch_type=patch_type)',
		"	return [\n		patch\n		for app in frappe.get_installed_apps()\n"
		"		for patch in get_patches_from_app(app, patch_type=patch_type)\n	]",
	),
	Edit(
		"model/sync.py",
		"DocTypes of every installed app.",
		'	sync_for("frappe", force, reset_permissions=reset_permissions)\n',
		"	for app in frappe.get_installed_apps():\n		sync_for(app, force, reset_permissions=reset_permissions)\n",
	),
	Edit(
		"migrate.py",
		"Run each app's own hook once. Without the name, every app's hook ran once per app.",
		'frappe.get_hooks("before_migrate")',
		'frappe.get_hooks("before_migrate", app_name=app)',
	),
	Edit(
		"migrate.py",
		"As above, for the classes that an app overrides.",
		'frappe.get_hooks("override_doctype_class", {}).keys()',
		'frappe.get_hooks("override_doctype_class", {}, app_name=app).keys()',
	),
	Edit(
		"migrate.py",
		"Migrate the site that was asked for.",
		"		if site:\n			frappe.init()\n",
		"		if site:\n			frappe.init(site)\n",
	),
	Edit(
		"utils/__init__.py",
		"The sites of a bench are the folders with a configuration.",
		'	return ["frappe"]\n',
		'	folder = sites_path or getattr(frappe.local, "sites_path", None) or "."\n'
		"	return sorted(\n"
		"		name for name in os.listdir(folder)"
		' if os.path.exists(os.path.join(folder, name, "site_config.json"))\n'
		"	)\n",
	),
	Edit(
		"utils/__init__.py",
		"Assets are in the bench's sites folder.",
		'os.path.join(frappe.local.app_path, "assets/assets.json")',
		'os.path.join(frappe.local.sites_path, "assets/assets.json")',
	),
	Edit(
		"utils/install.py",
		"Use the title of the app that is removed, not the framework's.",
		'	app_title = frappe.get_hooks()["app_title"][0]',
		'	app_title = frappe.get_hooks("app_title", app_name=app_name)[0]',
	),
	Edit(
		"utils/scheduler.py",
		"A second function of the same name, which expects a site, hides the first one, so no job was ever queued.",
		"		time.sleep(sleep_duration(tick))\n		enqueue_events()",
		"		time.sleep(sleep_duration(tick))\n		enqueue_events_for_site()",
	),
	Edit(
		"boot.py",
		"Every installed app, with its own entry in the list of apps.",
		'	for app_name in ["frappe"]:\n		apps = frappe.get_hooks("add_to_apps_screen")',
		"	for app_name in frappe.get_installed_apps():\n"
		'		apps = frappe.get_hooks("add_to_apps_screen", app_name=app_name)',
	),
	Edit("boot.py", "As above.", '	for app in ["frappe"]:', "	for app in frappe.get_installed_apps():"),
	Edit(
		"hooks.py",
		"The package has this picture under another name.",
		"/assets/frappe/images/frappe-logo.svg",
		"/assets/frappe/images/frappe-framework-logo.svg",
	),
	# Libraries
	Edit(
		"app.py",
		"The site's files hold the configuration; a stray .env in a parent folder must not change it.",
		"from dotenv import load_dotenv\nload_dotenv()\n",
		"",
	),
	Edit(
		"app.py",
		"mysqlclient needs a compiler and is only used with MariaDB.",
		"import frappe.database.mariadb.mysqlclient  # Load database related utils\n",
		"",
	),
	*(
		Edit(
			file,
			"Google's client is 90 MB for features that the embedded site does not have.",
			f"\n{lines}\n",
			"\ntry:\n	"
			+ lines.replace("\n", "\n	")
			+ "\nexcept ImportError:\n"
			+ "".join(f"	class {name}(Exception): ...\n" for name in names),
		)
		for file, lines, names in (
			("integrations/doctype/google_contacts/google_contacts.py", GOOGLE_ERRORS, ["HttpError"]),
			("website/doctype/website_settings/google_indexing.py", GOOGLE_ERRORS, ["HttpError"]),
			(
				"integrations/doctype/google_calendar/google_calendar.py",
				f"from googleapiclient.discovery import build\n{GOOGLE_ERRORS}",
				["build", "HttpError"],
			),
			(
				"integrations/google_oauth.py",
				"from google.oauth2.credentials import Credentials\nfrom googleapiclient.discovery import build",
				["Credentials", "build"],
			),
		)
	),
	Edit(
		"integrations/doctype/google_calendar/google_calendar.py",
		"As above.",
		"import google.oauth2.credentials\n",
		"",
	),
	# Modules that are not in the package
	Edit(
		"utils/install.py",
		"The package has neither the framework's own tests nor their log.",
		"	from frappe.tests.utils.generators import _clear_test_log\n\n	_clear_test_log()\n",
		"",
	),
	# SQLite
	Edit(
		"database/__init__.py",
		"Use the database driver of overlay/database/sqlite.",
		"		import frappe.database.sqlite.database\n\n"
		"		return frappe.database.sqlite.database.SQLiteDatabase(cur_db_name=cur_db_name)",
		"		import frappe.database.sqlite.connection\n\n"
		"		return frappe.database.sqlite.connection.SQLiteDatabase(cur_db_name=cur_db_name)",
	),
	Edit(
		"query_builder/builder.py",
		"PyPI's PyPika is not Frappe's fork: its builder takes no wrapper, locks no rows and quotes with double "
		"quotes, which SQLite reads as text if there is no such column.",
		"class SQLite(Base, SQLLiteQuery):\n",
		"""class SQLiteBuilder(SQLLiteQueryBuilder):
	QUOTE_CHAR = "`"

	def __init__(self, wrapper_cls=SQLiteParameterizedValueWrapper, **kwargs):
		super().__init__(**kwargs)
		self._wrapper_cls = wrapper_cls

	@builder
	def for_update(self, *args, **kwargs):
		self._for_update = True


class SQLite(Base, SQLLiteQuery):
""",
	),
	Edit(
		"query_builder/builder.py",
		"As above.",
		"	_BuilderClasss = SQLLiteQueryBuilder\n\n	@classmethod\n"
		'	def _builder(cls, *args, **kwargs) -> "SQLLiteQueryBuilder":\n'
		"		return super()._builder(*args, wrapper_cls=SQLiteParameterizedValueWrapper, **kwargs)",
		"	_BuilderClasss = SQLiteBuilder\n\n	@classmethod\n"
		'	def _builder(cls, *args, **kwargs) -> "SQLiteBuilder":\n'
		"		return SQLiteBuilder(**kwargs)",
	),
	Edit(
		"query_builder/builder.py",
		"As above.",
		"from pypika.terms import Function\n",
		"from pypika.terms import Function\nfrom pypika.utils import builder\n",
	),
	Edit(
		"core/report/database_storage_usage_by_tables/database_storage_usage_by_tables.py",
		"SQLite reads the whole database four times per table for this report, and each time a System Manager opens the"
		" Desk it runs: minutes. Nobody needs the table sizes of a short-lived site.",
		"AND m.name NOT LIKE 'sqlite_%'",
		"AND 0",
	),
]
