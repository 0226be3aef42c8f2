"""Paths and names of the embedded site. Everything that `./dev` makes is in `.dev/`, which git ignores."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EMBEDDED = ROOT / "embedded"
DEV = ROOT / ".dev"

APP = "erpnext_zoho_integration"
STAND_IN = "erpnext"
STAND_IN_SOURCE = EMBEDDED / "erpnext_stand_in"
SITE = "embedded.localhost"
ADMIN_PASSWORD = "admin"

# One virtual environment for each minor version of Python, so that several interpreters can be used side by side.
VENV = DEV / f"venv-{sys.version_info.major}.{sys.version_info.minor}"
VENV_PYTHON = VENV / "bin" / "python"
DOWNLOADS = DEV / "downloads"
FRAMEWORKS = DEV / "frameworks"
TEMPLATES = DEV / "templates"
RUNS = DEV / "runs"
NODE = DEV / "node"
DESKS = DEV / "desks"
