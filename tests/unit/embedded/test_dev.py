"""The command `./dev`: its help, its exit codes and its errors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from embedded.paths import ROOT


def dev(*arguments: str, root: Path = ROOT, **environment_: str) -> subprocess.CompletedProcess:
	return subprocess.run(
		[sys.executable, str(root / "dev"), *arguments],
		capture_output=True,
		text=True,
		stdin=subprocess.DEVNULL,
		env={**os.environ, **environment_},
	)


def test_help_names_every_command() -> None:
	done = dev("--help")
	assert done.returncode == 0
	assert all(f"\n  {command} " in done.stdout for command in ("demo", "test", "lint", "site", "clean"))


def test_an_unknown_command_is_refused() -> None:
	done = dev("tset")
	assert done.returncode == 2 and "'tset'" in done.stderr


def test_bench_measures_on_a_site_with_the_python_of_its_bench(tmp_path: Path) -> None:
	sites, python = tmp_path / "sites", tmp_path / "env" / "bin" / "python"
	lost = dev("bench", "--site", "my.site", FRAPPE_SITES_PATH=str(sites))
	assert lost.returncode == 2 and "FRAPPE_SITES_PATH" in lost.stderr
	python.parent.mkdir(parents=True)
	python.write_text('#!/bin/sh\necho "$@"\n')
	python.chmod(0o755)
	done = dev("bench", "--rows", "10", "--site", "my.site", FRAPPE_SITES_PATH=str(sites))
	assert done.stdout.split() == ["-m", "benchmarks", "--site", "my.site", "--rows", "10"]


def test_the_exit_code_of_test_is_that_of_pytest(tmp_path: Path) -> None:
	(tmp_path / "test_it.py").write_text("def test_good(): pass\ndef test_bad(): assert False\n")
	options = ("-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", os.devnull)
	bad, good = (dev("test", str(tmp_path), *options, *more) for more in ((), ("-k", "good")))
	assert (bad.returncode, good.returncode) == (1, 0)
	assert bad.stdout.strip().splitlines()[-1].strip("= ").startswith("1 failed, 1 passed")


def test_without_a_package_index_it_says_what_is_missing(tmp_path: Path) -> None:
	shutil.copy(ROOT / "dev", tmp_path)
	shutil.copytree(ROOT / "embedded", tmp_path / "embedded", ignore=shutil.ignore_patterns("__pycache__"))
	done = dev("test", root=tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS="", PIP_CONFIG_FILE=os.devnull)
	assert done.returncode == 3
	assert "A package index" in done.stderr and "Traceback" not in done.stderr
