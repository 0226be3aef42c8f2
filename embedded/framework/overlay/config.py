"""Configuration as on a bench: sites/common_site_config.json, overridden by the site's site_config.json.

The package reads environment variables only; the encryption key would then differ between processes.
"""

import json
import os
from pathlib import Path

import frappe
from frappe.types import _dict

DEFAULTS = {"db_type": "mariadb", "use_mysqlclient": 1, "max_file_size": 25 * 1024 * 1024}


def get_site_config(
	sites_path: str | None = None, site_path: str | None = None, *, cached: bool = False
) -> _dict:
	"""Return the site's configuration; the two small files are read again at each call."""
	sites_path = sites_path or getattr(frappe.local, "sites_path", None) or "."
	site_path = site_path or getattr(frappe.local, "site_path", None)
	config = _dict(DEFAULTS)
	config.update(read(Path(sites_path) / "common_site_config.json"))
	if site_path:
		config.update(read(Path(site_path) / "site_config.json"))
	return config


def get_common_site_config(sites_path: str | None = None, cached: bool = False) -> _dict:
	"""Return the configuration that all sites of the bench share."""
	sites_path = sites_path or getattr(frappe.local, "sites_path", None) or "."
	return _dict(read(Path(sites_path) / "common_site_config.json"))


def get_conf(site: str | None = None) -> _dict:
	"""Return the current site's configuration, or the bench's if no site is initialised."""
	if getattr(frappe.local, "conf", None):
		return frappe.local.conf
	site = site or default_site(".")
	return get_site_config(site_path=os.path.join(".", site) if site else None)


def clear_site_config_cache() -> None:
	"""Do nothing: there is no cache."""


def default_site(sites_path: str) -> str:
	"""Return the site for a call that names none: that of FRAPPE_SITE, else the bench's default site."""
	named = os.environ.get("FRAPPE_SITE") or get_common_site_config(sites_path).get("default_site")
	return named or ""


def read(path: Path) -> dict:
	"""Read one file; it does not exist yet while its site is being made."""
	try:
		return json.loads(path.read_text())
	except FileNotFoundError:
		return {}
