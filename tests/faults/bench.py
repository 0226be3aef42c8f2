"""Run the worst faults on a copy of a real bench's site, where MariaDB, Redis and workers are really killed.

```
FRAPPE_SITES_PATH=/path/to/bench/sites FRAPPE_SITE=name /path/to/bench/env/bin/python -m tests.faults.bench
```

from the app's folder; further arguments go to pytest. The bench stays as it is: its site and database are copied to a
MariaDB and a Redis that run for these tests alone (their programs must be in the PATH). The data in the copy is deleted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.faults.servers import PROGRAMS, Servers


def main(arguments: list[str]) -> int:
	sites, site = os.environ.get("FRAPPE_SITES_PATH"), os.environ.get("FRAPPE_SITE")
	if not sites or not site:
		print(__doc__, file=sys.stderr)
		return 2
	missing = [program for program in PROGRAMS if not shutil.which(program)]
	if missing:
		print(f"Not in the PATH: {', '.join(missing)}", file=sys.stderr)
		return 3
	folder = Path(tempfile.mkdtemp(prefix="zoho-faults-"))
	servers = Servers(folder)
	try:
		servers.make(Path(sites).resolve(), site)
		environment = {
			**os.environ,
			"FRAPPE_SITES_PATH": str(servers.sites),
			"ZOHO_FAULTS_SERVERS": str(folder),
			"ZOHO_ALL_FAULTS": "1",
			"ZOHO_RELIABILITY": "1",
		}
		command = [
			sys.executable,
			"-m",
			"pytest",
			"-q",
			"-p",
			"no:cacheprovider",
			"-m",
			"worst",
			"tests/faults",
		]
		return subprocess.call([*command, *arguments], env=environment)
	finally:
		servers.close()


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
