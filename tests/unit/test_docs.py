"""What the documentation says exists: links, anchors, files, commands, settings, permissions, the API and versions."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from docs import make_rooms_picture

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "erpnext_zoho_integration"
MODULE = APP / "erpnext_zoho_integration"
README = ROOT / "README.md"
ARCHITECTURE = ROOT / "docs/architecture.md"
CONFIGURATION = ROOT / "docs/configuration.md"
TROUBLESHOOTING = ROOT / "docs/troubleshooting.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("embedded/**/*.md")])
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)", re.DOTALL)
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
DEV = re.compile(r"\./dev ([a-z-]+)")
DOTTED = re.compile(r"\berpnext_zoho_integration(?:\.\w+)+")
# Where a page may name a file without its folder.
ROOMS = (
	ROOT,
	*(folder for house in (APP, MODULE) for folder in (house, *house.iterdir()) if folder.is_dir()),
)
LAYOUT_FIELDS = {"Section Break", "Column Break", "Tab Break", "HTML", "Button"}


def page_id(path: Path) -> str:
	return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
	return FENCE.sub("", path.read_text())


def anchors(path: Path) -> set[str]:
	"""Return the anchors that GitHub gives to a page's headings."""
	found = set()
	for heading in HEADING.findall(prose(path)):
		text = re.sub(r"[`*]", "", LINK.sub("", heading)).strip().lower()
		found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
	return found


def section(path: Path, heading: str) -> str:
	"""Return the text under a heading, its subsections included."""
	text = path.read_text()
	match = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
	assert match, f"{page_id(path)} has no section {heading!r}"
	rest = text[match.end() :]
	following = re.search(
		rf"^#{{1,{len(match[1])}}} ", FENCE.sub(lambda code: " " * len(code[0]), rest), re.M
	)
	return rest[: following.start()] if following else rest


def table(text: str) -> list[list[str]]:
	"""Return the cells of the first table in a text, without its head."""
	lines = [line for line in text.splitlines() if line.startswith("|")]
	return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


# Pages


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
	for target in LINK.findall(prose(page)):
		if target.startswith(("http://", "https://", "mailto:")):
			continue
		path, _, anchor = target.partition("#")
		file = (page.parent / path).resolve() if path else page
		assert file.exists(), f"{page_id(page)} links to {target}"
		if anchor:
			assert anchor in anchors(file), f"{page_id(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_files_that_are_named_exist(page: Path) -> None:
	for span in SPAN.findall(prose(page)):
		if not re.fullmatch(
			r"[\w./-]*\w\.(py|md|yml|toml|txt|sh|js)|[\w.-]+(/[\w.-]+)*/|(tests|docs)/\w+", span
		):
			continue
		if span in ("x.py", ".dev/"):
			continue
		found = [room / span for room in (page.parent, *ROOMS) if (room / span).exists()]
		assert any(path.is_file() or any(path.iterdir()) for path in found), f"{page_id(page)} names {span}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_dotted_paths_that_are_named_exist(page: Path) -> None:
	for dotted in DOTTED.findall(page.read_text()):
		assert exists(dotted), f"{page_id(page)} names {dotted}"


def exists(dotted: str) -> bool:
	"""Tell whether a dotted path is a package, a module, or a name at the top level of one."""
	path = ROOT.joinpath(*dotted.split("."))
	if path.is_dir() or path.with_suffix(".py").is_file():
		return True
	module = path.parent / "__init__.py" if path.parent.is_dir() else path.parent.with_suffix(".py")
	return module.is_file() and path.name in names_defined_in(module)


def names_defined_in(module: Path) -> set[str]:
	names = set()
	for node in ast.parse(module.read_text()).body:
		if isinstance(node, ast.FunctionDef | ast.ClassDef):
			names.add(node.name)
		elif isinstance(node, ast.Assign):
			names.update(target.id for target in node.targets if isinstance(target, ast.Name))
		elif isinstance(node, ast.Import | ast.ImportFrom):
			names.update(alias.asname or alias.name for alias in node.names)
	return names


def test_commands_of_dev_that_are_named_exist() -> None:
	shown = subprocess.run(
		[sys.executable, ROOT / "dev", "--help"], capture_output=True, text=True, check=True
	)
	known = set(re.findall(r"^  ([a-z]+) ", shown.stdout, re.MULTILINE))
	named = {command for page in PAGES for command in DEV.findall(page.read_text())}
	named |= {command for workflow in WORKFLOWS for command in DEV.findall(workflow.read_text())}
	assert {"demo", "test"} <= named
	assert named <= known


def test_options_of_the_simulator_that_are_named_exist() -> None:
	shown = subprocess.run(
		[sys.executable, "-m", "zoho_simulator", "--help"],
		capture_output=True,
		text=True,
		check=True,
		cwd=ROOT,
	).stdout
	commands = re.findall(r"zoho_simulator((?: --?[\w-]+(?: \w[\w-]*)?)*)", README.read_text())
	options = {option for command in commands for option in re.findall(r"--[\w-]+", command)}
	assert options
	assert {option for option in options if option not in shown} == set()


def test_options_of_the_demo_that_are_named_exist() -> None:
	source = (ROOT / "embedded/demo.py").read_text()
	named = set(re.findall(r"`(--[\w-]+)`", section(README, "Trying it without a Zoho account")))
	assert named
	assert named <= set(re.findall(r'add_argument\(\s*"(--[\w-]+)"', source))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_pages_speak_of_the_product_alone(page: Path) -> None:
	"""No path of somebody's machine, nothing left to be written."""
	assert not re.search(r"(?<![\w.])/(work|opt|tmp|home/\w+)/", page.read_text())
	assert not re.search(r"\b(TODO|FIXME|TBD|XXX|lorem ipsum)\b", page.read_text(), re.IGNORECASE)


# Tables


def test_the_api_table_lists_every_function_as_it_is() -> None:
	rows = table(section(README, "API"))
	documented = {row[0].strip("`"): row[1] for row in rows}
	assert len(documented) == len(rows)
	assert documented == dict(api_functions())


def api_functions() -> Iterator[tuple[str, str]]:
	"""Yield signature and HTTP methods of all public functions of the API modules."""
	for name in ("oauth", "campaigns", "privacy", "sync"):
		tree = ast.parse((MODULE / "api" / f"{name}.py").read_text())
		for node in tree.body:
			if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
				yield f"{name}.{signature(node)}", http_methods(node)
			elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute):
				# A function of sync/ under the name that the API promises.
				module = APP / "sync" / "runs" / f"{node.value.value.id}.py"
				yield f"{name}.{signature(function(module, node.value.attr))}", "–"


def function(module: Path, name: str) -> ast.FunctionDef:
	found = [
		n for n in ast.parse(module.read_text()).body if isinstance(n, ast.FunctionDef) and n.name == name
	]
	assert len(found) == 1, f"{name} is not in {module.name}"
	return found[0]


def signature(node: ast.FunctionDef) -> str:
	names = [argument.arg for argument in node.args.args]
	defaults = [None] * (len(names) - len(node.args.defaults)) + list(node.args.defaults)
	shown = [
		name if default is None else f"{name}={ast.unparse(default)}".replace("'", '"')
		for name, default in zip(names, defaults, strict=True)
	]
	return f"{node.name}({', '.join(shown)})"


def http_methods(node: ast.FunctionDef) -> str:
	for decorator in node.decorator_list:
		if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "frappe.whitelist":
			methods = [k.value for k in decorator.keywords if k.arg == "methods"]
			return ", ".join(ast.literal_eval(methods[0])) if methods else "GET or POST"
	return "–"


def test_the_settings_that_are_listed_are_those_of_the_form() -> None:
	fields = [f for f in doctype("zoho_settings")["fields"] if f["fieldtype"] not in LAYOUT_FIELDS]
	text = section(CONFIGURATION, "Settings")
	listed = [label.strip() for row in table(text) for label in row[0].split(",")]
	shown = re.search(r"Shown, not set: (.*?)\.\n\n", text, re.DOTALL)
	assert shown
	read_only = [label.strip() for label in shown[1].replace("\n", " ").split(",")]
	assert sorted(listed) == sorted(
		f["label"] for f in fields if not f.get("read_only") and not f.get("hidden")
	)
	assert sorted(read_only) == sorted(
		f["label"] for f in fields if f.get("read_only") and not f.get("hidden")
	)


def test_the_defaults_that_are_listed_are_those_of_the_form() -> None:
	defaults = {f["label"]: f.get("default", "") for f in doctype("zoho_settings")["fields"] if "label" in f}
	kinds = {f["label"]: f["fieldtype"] for f in doctype("zoho_settings")["fields"] if "label" in f}
	for row in table(section(CONFIGURATION, "Settings")):
		for label in row[0].split(","):
			label = label.strip()
			default = defaults[label]
			if kinds[label] == "Check":
				default = "on" if default == "1" else "off"
			if kinds[label] == "Table":
				default = {"Check Campaigns": "by age"}.get(label, "Newsletter, Email Campaign")
			assert row[1].replace(",", "") == default.replace(",", ""), label


def test_the_intervals_that_are_listed_are_the_defaults() -> None:
	from erpnext_zoho_integration.sync.planning.check_intervals import DEFAULT_INTERVALS

	row = next(row for row in table(section(CONFIGURATION, "Settings")) if row[0] == "Check Campaigns")
	words = {
		(2, 0): "at every run for two days",
		(7, 6): "every 6 hours for a week",
		(30, 24): "daily for a month",
		(180, 168): "weekly for half a year",
		(0, 720): "then every 30 days",
	}
	assert row[2].endswith(": " + ", ".join(words[interval] for interval in DEFAULT_INTERVALS))


def test_the_permissions_that_are_listed_are_those_of_the_doctypes() -> None:
	wanted = ("read", "write", "create", "delete")
	rows = [
		row
		for row in table(section(CONFIGURATION, "Permissions"))
		if (MODULE / "doctype" / scrub(row[0])).is_dir()
	]
	assert len(rows) > 3
	for row in rows:
		granted = {p["role"]: p for p in doctype(scrub(row[0]))["permissions"]}
		for roles, cell in zip(
			(["System Manager"], ["Sales Manager", "Sales Master Manager"], ["Sales User"]),
			row[1:],
			strict=True,
		):
			for role in roles:
				rights = [right for right in wanted if granted.get(role, {}).get(right)]
				if row[0] == "Zoho Settings":  # a single document: there is nothing to create or delete
					rights = [right for right in rights if right in ("read", "write")]
				assert cell == (", ".join(rights) or "–"), f"{row[0]}, {role}"


def test_the_reports_are_named_and_open_to_the_roles_that_are_listed() -> None:
	row = next(row for row in table(section(CONFIGURATION, "Permissions")) if row[0].endswith("reports"))
	assert row[1:] == ["open", "open", "open"]
	for path in MODULE.glob("report/*/*.json"):
		report = json.loads(path.read_text())
		for page in (README, ROOT / "docs/user-guide.md"):
			assert f"**{report['name']}**" in re.sub(r"\s+", " ", page.read_text())
		everybody = {"System Manager", "Sales Manager", "Sales Master Manager", "Sales User"}
		wanted = {"System Manager"} if report["name"] == "Consent Evidence" else everybody
		assert {role["role"] for role in report["roles"]} == wanted


def test_the_command_has_the_options_and_exit_codes_that_are_listed() -> None:
	text, source = section(README, "From the command line"), (APP / "commands.py").read_text()
	assert set(re.findall(r"zoho-sync.*?(--[\w-]+)", text)) <= set(
		re.findall(r'click\.option\("(--[\w-]+)"', source)
	)
	described = [int(code) for code in re.findall(r"\b(\d)\s+if", text)]
	codes = re.search(r"^EXIT_CODES = (\{.*\})$", source, re.MULTILINE)[1]
	assert described[:1] == [ast.literal_eval(codes)["Success"]]
	assert sorted(described) == sorted([*ast.literal_eval(codes).values(), 4])
	assert re.search(r"^ALREADY_RUNNING = 4$", source, re.MULTILINE)


def test_the_data_centres_that_are_listed_are_those_of_the_client() -> None:
	from erpnext_zoho_integration.zoho import DATA_CENTERS

	rows = table(section(ROOT / "docs/registering-with-zoho.md", "1. Know your data centre"))
	assert [(row[0].strip("`"), row[1]) for row in rows] == [
		(center.campaigns_url.removeprefix("https://"), center.code) for center in DATA_CENTERS.values()
	]


def test_the_scope_that_is_named_is_the_one_that_is_asked_for() -> None:
	from erpnext_zoho_integration.zoho import scopes_for

	asked_for = {README: scopes_for(), ROOT / "docs/registering-with-zoho.md": scopes_for(writing=True)}
	for page, scopes in asked_for.items():
		assert set(re.findall(r"ZohoCampaigns(?:\.\w+)+", prose(page))) == set(scopes)


def test_messages_that_troubleshooting_quotes_are_in_the_code() -> None:
	sources = "\n".join(path.read_text() for path in APP.rglob("*.py"))
	for row in table(section(TROUBLESHOOTING, "Connecting")) + table(section(TROUBLESHOOTING, "Syncing")):
		for quoted in re.findall(r'"([^"]+)"', row[0]):
			assert quoted.removesuffix(" …") in sources or quoted == "No contacts", quoted


def scrub(name: str) -> str:
	return name.lower().replace(" ", "_")


def doctype(name: str) -> dict:
	return json.loads((MODULE / "doctype" / name / f"{name}.json").read_text())


# The architecture


PACKAGES = [
	APP / room
	for room in (
		"connection",
		"store",
		"sync",
		*(f"sync/{p.name}" for p in (APP / "sync").iterdir() if (p / "__init__.py").is_file()),
		MODULE.name,
		*(f"{MODULE.name}/{room}" for room in ("api", "desk", "report")),
	)
]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.relative_to(APP)))
def test_the_map_of_a_package_names_each_of_its_modules(package: Path) -> None:
	text = ast.get_docstring(ast.parse((package / "__init__.py").read_text()))
	lines = text.partition("\n\n")[2].splitlines()
	assert len(lines) <= 10
	mapped = [name for line in lines for name in re.split(r", ", re.split(r" {2,}", line)[0])]
	modules = {
		path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
	}
	assert sorted(mapped) == sorted(modules - {"__init__"})


def test_every_room_of_the_house_is_described() -> None:
	"""Every folder with code; records that Frappe reads (workspaces, cards) are no rooms."""
	described = section(ARCHITECTURE, "The rooms") + section(ARCHITECTURE, "The module")
	for house in (APP, MODULE):
		for room in house.iterdir():
			if any(file.suffix in (".py", ".js") and file.stat().st_size for file in room.rglob("*")):
				assert re.search(rf"\b{room.name}/", described), f"{room.relative_to(ROOT)} is not described"


def test_the_rooms_are_listed_in_the_order_in_which_they_may_import_each_other() -> None:
	order = [
		", ".join(f"`{path}`" for path in sorted(map(make_rooms_picture.path_of, layer.split(" | "))))
		for layer in make_rooms_picture.rooms()
	]
	in_architecture = [row[0] for row in table(section(ARCHITECTURE, "The rooms"))]
	lines = re.findall(r"^\d+\. (.*)$", section(ROOT / "CONTRIBUTING.md", "Where things go"), re.MULTILINE)
	in_contributing = [line.partition(" with ")[0] for line in lines]
	for listed in (in_architecture, in_contributing):
		assert [", ".join(sorted(cell.split(", "))) for cell in listed] == order


def test_the_picture_of_the_rooms_shows_the_imports_of_today() -> None:
	drawn = make_rooms_picture.PICTURE.read_text()
	assert drawn == make_rooms_picture.draw(), "python docs/make_rooms_picture.py draws it anew"


def test_the_picture_has_the_imports_that_the_code_has() -> None:
	pairs, order = make_rooms_picture.imports(), make_rooms_picture.rooms()
	assert {("sync.runs", "sync.recipients"), ("connection", "zoho"), ("sync.mapping", "store")} <= pairs
	assert all(order.index(importer) < order.index(imported) for importer, imported in pairs)


# Versions


def test_the_changelog_begins_with_the_version() -> None:
	version = re.search(r'__version__ = "(.+)"', (APP / "__init__.py").read_text())[1]
	assert re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == version


def test_the_versions_of_frappe_are_those_of_the_package_and_the_workflow() -> None:
	row = table(section(README, "Compatibility"))[0]
	project = (ROOT / "pyproject.toml").read_text()
	oldest, above = re.search(r'^frappe = ">=(\d+)\.0\.0,<(\d+)\.0\.0"', project, re.MULTILINE).groups()
	supported = [str(version) for version in range(int(oldest), int(above))]
	assert row[1].split(", ") == supported
	bench = yaml.safe_load((ROOT / ".github/workflows/bench.yml").read_text())
	tested = [include["branch"] for include in bench["jobs"]["site"]["strategy"]["matrix"]["include"]]
	assert tested == [f"version-{version}" for version in supported]
	python = re.search(r'requires-python = ">=(.+)"', project)[1]
	assert row[2].startswith(f"{python} or later")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=page_id)
def test_workflows_may_only_read_and_end_in_time(workflow: Path) -> None:
	content = yaml.safe_load(workflow.read_text())
	assert content["permissions"] == {"contents": "read"}
	assert content["concurrency"]["cancel-in-progress"] is True
	for job in content["jobs"].values():
		assert 0 < job["timeout-minutes"] <= 60
		for step in job["steps"]:
			assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.get("uses", "actions/checkout@v1")), step
