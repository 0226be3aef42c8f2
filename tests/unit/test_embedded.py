"""`./dev` and the parts of the embedded site that need no site."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from embedded import environment, repairs, state
from embedded.restored.database.sqlite.statements import (
	Kind,
	bind,
	read_date,
	read_datetime,
	read_time,
	to_sqlite,
	translate,
)
from embedded.terminal import plain, table

ROOT = Path(__file__).resolve().parents[2]


def dev(*arguments: str, root: Path = ROOT, **environment_: str) -> subprocess.CompletedProcess:
	return subprocess.run(
		[sys.executable, str(root / "dev"), *arguments],
		capture_output=True,
		text=True,
		stdin=subprocess.DEVNULL,
		env={**os.environ, **environment_},
	)


# The command


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


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
	usage = shutil.disk_usage(tmp_path)
	monkeypatch.setattr(environment.shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
	with pytest.raises(environment.Missing, match="1 MB are free"):
		environment._check_disk()


# What is built once


def test_a_digest_changes_with_what_was_read_and_not_with_caches(tmp_path: Path) -> None:
	(tmp_path / "a.py").write_text("1")
	first = state.digest(tmp_path, "text")
	(tmp_path / "__pycache__").mkdir()
	(tmp_path / "__pycache__" / "a.pyc").write_text("x")
	assert state.digest(tmp_path, "text") == first
	assert state.digest(tmp_path, "other") != first
	(tmp_path / "a.py").write_text("2")
	assert state.digest(tmp_path, "text") != first


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
	def fail(folder: Path) -> None:
		(folder / "half").touch()
		raise RuntimeError

	with pytest.raises(RuntimeError):
		state.build_folder(tmp_path / "built", fail)
	assert list(tmp_path.iterdir()) == []
	assert state.build_folder(tmp_path / "built", lambda folder: (folder / "whole").touch()).is_dir()


def test_a_repair_that_finds_nothing_fails(tmp_path: Path) -> None:
	for repair in repairs.REPAIRS:
		path = tmp_path / repair.file
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text("")
	with pytest.raises(ValueError, match="found 0 times instead of 1"):
		repairs.apply(tmp_path)
	assert all(repair.reason and repair.old != repair.new for repair in repairs.REPAIRS)


# SQLite


def test_values_are_bound_never_pasted() -> None:
	assert bind("a=%s and b='50%%' and c in %s", ["it's", ("x", 2)]) == (
		"a=? and b='50%' and c in (?, ?)",
		["it's", "x", 2],
	)
	assert bind("a=%(a)s or b=%(a)s", {"a": None}) == ("a=? or b=?", [None, None])
	assert bind("a like '50%%' and b='%s'", None) == ("a like '50%%' and b='%s'", [])
	assert bind("a in %s", [[]]) == ("a in (NULL)", [])


def test_more_values_than_sqlite_takes_are_written_into_the_statement() -> None:
	statement, parameters = bind("a in %s", [[f"it's {i}" for i in range(30_002)]])
	assert len(parameters) == 30_000
	assert statement.endswith("?, 'it''s 30000', 'it''s 30001')")


@pytest.mark.parametrize(
	("query", "statement", "kind"),
	[
		("select a from b", "select a from b", Kind.READ),
		("select a from b for update skip locked", "select a from b", Kind.WRITE),
		("SELECT `a` FROM `b` FOR UPDATE /* trace */", "SELECT `a` FROM `b`", Kind.WRITE),
		("insert ignore into b values (1)", "INSERT OR IGNORE into b values (1)", Kind.WRITE),
		("select locate('x', a) from b", "select instr( a, 'x') from b", Kind.READ),
		("savepoint x", "savepoint x", Kind.WRITE),
		("with a as (select 1) select * from a", "with a as (select 1) select * from a", Kind.READ),
		("with a as (select 1) delete from b", "with a as (select 1) delete from b", Kind.WRITE),
		("update a set b=' for update'", "update a set b=' for update'", Kind.WRITE),
		("alter table a add column b", "alter table a add column b", Kind.SCHEMA),
		("rollback to savepoint x", "rollback to savepoint x", Kind.OTHER),
	],
)
def test_statements_are_translated(query: str, statement: str, kind: Kind) -> None:
	assert translate(query) == (statement, kind)


def test_dates_and_times_are_stored_as_mariadb_prints_them_and_read_back() -> None:
	moment, day, span = datetime(2026, 3, 29, 1, 5, 9), date(2026, 3, 29), timedelta(hours=13, seconds=1.5)
	assert to_sqlite(moment) == "2026-03-29 01:05:09.000000"
	assert (to_sqlite(span), to_sqlite(time(13, 0, 1))) == ("13:00:01.500000", "13:00:01.000000")
	assert (to_sqlite(Decimal("1.5")), to_sqlite(True)) == (1.5, True)
	assert read_datetime(to_sqlite(moment).encode()) == moment
	assert read_datetime(b"2026-03-29 01:05:09") == moment and read_datetime(b"2026-03-29") == datetime(
		2026, 3, 29
	)
	assert read_date(b"2026-03-29") == read_date(b"2026-03-29 10:00:00") == day
	assert read_time(to_sqlite(span).encode()) == span
	assert read_datetime(b"never") == "never"


# What the demo prints


def test_tables_align_wide_and_hostile_text() -> None:
	text = table(
		["Name", "Sent"], [["\x1b[31mred\u202e", "1"], ["新聞", "1,234"], ["x" * 60, "5"]], [False, True]
	)
	lines = text.splitlines()
	assert lines[2] == f"{plain('[31mred'):34}  {'1':>5}"
	assert lines[3] == f"新聞{' ' * 30}  1,234"
	assert lines[4].startswith("x" * 33 + "…")
	assert "\x1b" not in text and "\u202e" not in text
