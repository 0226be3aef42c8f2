"""Where things are. Everything that is made lands in `.dev/`, which git ignores."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EMBEDDED = ROOT / "embedded"
DEV = ROOT / ".dev"

APP = "erpnext_zoho_integration"
STAND_IN = "erpnext"
SITE = "embedded.localhost"
ADMIN_PASSWORD = "admin"

# One virtual environment per minor version of Python, so that two interpreters do not undo each other's work.
VENV = DEV / f"venv-{sys.version_info.major}.{sys.version_info.minor}"
VENV_PYTHON = VENV / "bin" / "python"
DOWNLOADS = DEV / "downloads"
FRAMEWORKS = DEV / "frameworks"
TEMPLATES = DEV / "templates"
RUNS = DEV / "runs"
NODE = DEV / "node"
DESKS = DEV / "desks"
