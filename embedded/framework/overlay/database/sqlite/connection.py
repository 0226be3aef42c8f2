"""A SQLite driver that behaves like MariaDB where an app relies on it: bound values, transactions, constraints.

Transactions resemble MariaDB's at REPEATABLE READ. The first SELECT takes a snapshot; commits of others are
visible after the next commit or rollback. The first statement that writes or locks (`FOR UPDATE`, `SAVEPOINT`)
begins an IMMEDIATE transaction: it sees the newest state, and waits for other writers. A deferred transaction would
fail with "database is locked" at its first write if others had written since its first read.
"""

import os
import re
import sqlite3
import threading
import time
import warnings
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import frappe
from frappe.database.database import TRANSACTION_DISABLED_MSG, Database
from frappe.database.sqlite import database as package
from frappe.database.sqlite.statements import Kind, bind, register_converters, to_sqlite, translate
from frappe.database.sqlite.table import Table, index_name, indexed_columns
from frappe.utils import get_table_name

WAIT_FOR_WRITER = 30  # seconds
POLL_FOR_WRITER = 0.001  # seconds
MOST_IDLE = 8  # connections
# SQLite's defaults are 2 MB and 1,000 pages; rows in many indexes then write the same pages again and again.
CACHE_KIB = 32_768
PAGES_BEFORE_CHECKPOINT = 8_000
KEY_LENGTH = re.compile(r"\(.*?\)")


class IdleConnections:
	"""Unused connections of this process, by database. A forked process starts with none."""

	def __init__(self) -> None:
		self._lock = threading.Lock()
		self._owner, self._idle = os.getpid(), {}

	def take(self, path: Path) -> sqlite3.Connection | None:
		with self._lock:
			return self._mine(path).pop() if self._mine(path) else None

	def give(self, path: Path, connection: sqlite3.Connection) -> None:
		with self._lock:
			if len(self._mine(path)) < MOST_IDLE:
				self._mine(path).append(connection)
				return
		connection.close()

	def _mine(self, path: Path) -> list[sqlite3.Connection]:
		if self._owner != os.getpid():
			inherited.append(
				self._idle
			)  # never closed here: closing would change files that the other process uses
			self._owner, self._idle = os.getpid(), {}
		return self._idle.setdefault(path, [])


inherited: list[dict] = []
idle_connections = IdleConnections()


class SQLiteDatabase(package.SQLiteDatabase):
	"""The package's class with other statements, transactions and schema changes."""

	_writing = False  # whether the transaction has the write lock

	def setup_type_map(self) -> None:
		"""Use MariaDB's names for text types: Frappe looks for "varchar" and "text" in lower case."""
		super().setup_type_map()
		short = (
			"Data",
			"Link",
			"Dynamic Link",
			"Select",
			"Read Only",
			"Color",
			"Icon",
			"Phone",
			"Autocomplete",
		)
		for fieldtype, (name, _size) in self.type_map.items():
			self.type_map[fieldtype] = (
				("varchar", self.VARCHAR_LEN) if fieldtype in short else (name.lower(), None)
			)

	# Connection and statements

	def get_connection(self, read_only: bool = False) -> sqlite3.Connection:
		"""Return an idle connection of this process, else a new one. Opening one is slow: it reads the whole schema."""
		self._path = self.get_db_path().resolve()
		if not read_only and (connection := idle_connections.take(self._path)):
			return connection
		return self.open_connection(read_only)

	def close(self) -> None:
		"""Keep the connection for the next request, without an open transaction."""
		if not self._conn:
			return
		self._cursor.close()
		if self._conn.in_transaction:
			self._conn.rollback()
		if getattr(self, "read_only", False):
			self._conn.close()
		else:
			idle_connections.give(self._path, self._conn)
		self._conn = self._cursor = None
		self._writing = False

	def open_connection(self, read_only: bool) -> sqlite3.Connection:
		register_converters()
		connection = sqlite3.connect(
			f"file:{self._path}?mode=ro" if read_only else self._path,
			uri=read_only,
			detect_types=sqlite3.PARSE_DECLTYPES,
			timeout=WAIT_FOR_WRITER,
			isolation_level=None,  # this class begins and ends transactions itself
			check_same_thread=False,  # used by one thread at a time, but not always the same
		)
		connection.create_function("regexp", 2, regexp, deterministic=True)
		connection.create_function("regexp_replace", 3, package.regexp_replace, deterministic=True)
		connection.create_function("char_length", 1, lambda text: None if text is None else len(str(text)))
		if not read_only:
			connection.execute("PRAGMA journal_mode=WAL")
		connection.execute("PRAGMA synchronous=OFF")  # a killed process loses nothing, a power cut may
		connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
		connection.execute(f"PRAGMA wal_autocheckpoint={PAGES_BEFORE_CHECKPOINT}")
		return connection

	def sql(self, query: str, *args, **kwargs) -> Any:
		# The package's method turns backticks into double quotes. SQLite reads an unknown "column" as text, whereas
		# an unknown `column` is an error, as on MariaDB.
		return Database.sql(self, query, *args, **kwargs)

	def execute_query(self, query: str, values: Sequence | dict | None = None) -> sqlite3.Cursor:
		statement, kind = translate(query)
		statement, parameters = bind(statement, values)
		if kind is Kind.WRITE:
			self._begin_writing()
		elif kind is Kind.SCHEMA:
			self._end_snapshot()
		elif kind is Kind.READ and not self._conn.in_transaction:
			self._cursor.execute("BEGIN")
		return self._cursor.execute(statement, parameters)

	def _begin_writing(self) -> None:
		if not self._writing:
			self._end_snapshot()
			self._wait_for_writer()
			self._writing = True

	def _wait_for_writer(self) -> None:
		"""Begin to write as soon as no other process does. SQLite's own waiting may notice that 100 ms later."""
		deadline = time.monotonic() + WAIT_FOR_WRITER
		self._cursor.execute("PRAGMA busy_timeout=0")
		try:
			while True:
				try:
					self._cursor.execute("BEGIN IMMEDIATE")
					return
				except sqlite3.OperationalError as error:
					if not self.is_deadlocked(error) or time.monotonic() > deadline:
						raise
				time.sleep(POLL_FOR_WRITER)
		finally:
			self._cursor.execute(f"PRAGMA busy_timeout={WAIT_FOR_WRITER * 1000}")

	def _end_snapshot(self) -> None:
		if self._conn.in_transaction and not self._writing:
			self._cursor.execute("COMMIT")

	def _transform_result(self, result: list[tuple]) -> tuple[tuple, ...]:
		return tuple(result)  # as the MariaDB drivers return rows

	def bulk_insert(
		self,
		doctype: str,
		fields: list[str],
		values: Iterable[Sequence[Any]],
		ignore_duplicates: bool = False,
		*,
		chunk_size: int = 1000,
	) -> None:
		"""Insert rows with one prepared statement: no limit of parameters or of a statement's length."""
		ignore = "OR IGNORE " if ignore_duplicates else ""
		columns = ", ".join(f"`{field}`" for field in fields)
		statement = f"INSERT {ignore}INTO `{get_table_name(doctype)}` ({columns}) VALUES ({', '.join('?' * len(fields))})"
		rows = iter(values)
		while chunk := [tuple(map(to_sqlite, row)) for row in islice(rows, chunk_size)]:
			self.check_transaction_status("insert")
			if not self._conn:
				self.connect()
			self._begin_writing()
			self._cursor.executemany(statement, chunk)

	@staticmethod
	def is_data_too_long(error: sqlite3.Error) -> bool:
		return "CHECK constraint failed" in str(error) or "string or blob too big" in str(error)

	# Transactions

	def begin(self, *, read_only: bool = False) -> None:
		"""Choose the connection, another one in read-only mode; the first statement begins a transaction."""
		read_only = bool(read_only or frappe.flags.read_only)
		if self._conn is None or read_only != getattr(self, "read_only", False):
			if self._conn:
				self._conn.close()
			self.read_only = read_only
			self._conn = self.get_connection(read_only=read_only)
			self._cursor = self._conn.cursor()

	def commit(self, *, chain: bool = False) -> None:
		if self._disable_transaction_control:
			warnings.warn(message=TRANSACTION_DISABLED_MSG, stacklevel=2)
			return
		if not self._conn:
			self.connect()
		self.before_rollback.reset()
		self.after_rollback.reset()
		self.before_commit.run()
		if self._conn.in_transaction:
			self._cursor.execute("COMMIT")
		self._writing = False
		self.transaction_writes = 0
		self.value_cache.clear()
		self.after_commit.run()

	def rollback(self, *, save_point: str | None = None, chain: bool = False) -> None:
		if not self._conn:
			self.connect()
		if save_point:
			self.sql(f"rollback to savepoint {save_point}")
			self.value_cache.clear()
			return
		if self._disable_transaction_control:
			warnings.warn(message=TRANSACTION_DISABLED_MSG, stacklevel=2)
			return
		self.before_commit.reset()
		self.after_commit.reset()
		self.before_rollback.run()
		if self._conn.in_transaction:
			self._cursor.execute("ROLLBACK")
		self._writing = False
		self.transaction_writes = 0
		self.value_cache.clear()
		self.after_rollback.run()

	# Schema

	def updatedb(self, doctype: str, meta: Any = None) -> None:
		found = self.sql("SELECT issingle FROM `tabDocType` WHERE name=%s", (doctype,))
		if not found:
			raise Exception(f"Wrong doctype {doctype} in updatedb")
		if not found[0][0]:
			table = Table(doctype, meta)
			table.validate()
			table.sync()
			self.commit()

	def get_table_columns_description(self, table_name: str) -> list[frappe._dict]:
		unique, plain = indexed_columns(table_name)
		return [
			frappe._dict(
				name=column.name,
				type=column.type.lower(),
				default=column.dflt_value,
				not_nullable=column.notnull,
				index=column.name in plain,
				unique=column.name in unique,
			)
			for column in self.sql(f"PRAGMA table_info(`{table_name}`)", as_dict=True)
		]

	def rename_column(self, doctype: str, old_column_name: str, new_column_name: str) -> None:
		self.sql_ddl(
			f"ALTER TABLE `{get_table_name(doctype)}` RENAME COLUMN `{old_column_name}` TO `{new_column_name}`"
		)

	def change_column_type(self, doctype: str, column: str, type: str, nullable: bool = False) -> None:
		"""Sync the table with its DocType: SQLite cannot alter a column, and its columns hold any type."""
		self.updatedb(doctype)

	def truncate(self, doctype: str) -> None:
		self.sql_ddl(f"DELETE FROM `{get_table_name(doctype)}`")

	def has_index(self, table_name: str, index: str) -> bool:
		names = (index, index_name(table_name, index))
		return bool(
			self.sql(
				"SELECT 1 FROM sqlite_master WHERE type='index' AND tbl_name=%s AND name IN %s",
				(table_name, names),
			)
		)

	def add_index(
		self, doctype: str, fields: list[str], index_name_: str | None = None, **kwargs: Any
	) -> None:
		self._create_index(doctype, fields, kwargs.get("index_name") or index_name_, unique=False)

	def add_unique(self, doctype: str, fields: str | list[str], constraint_name: str | None = None) -> None:
		fields = [fields] if isinstance(fields, str) else fields
		self._create_index(doctype, fields, constraint_name or f"unique_{'_'.join(fields)}", unique=True)

	def _create_index(self, doctype: str, fields: list[str], name: str | None, *, unique: bool) -> None:
		"""Create an index unless it exists, with the table's name in its own: see `index_name`."""
		table = get_table_name(doctype)
		fields = [KEY_LENGTH.sub("", field).strip("` ") for field in fields]
		name = index_name(table, name or self.get_index_name(fields))
		columns = ", ".join(f"`{field}`" for field in fields)
		self.sql_ddl(
			f"CREATE {'UNIQUE ' if unique else ''}INDEX IF NOT EXISTS `{name}` ON `{table}` ({columns})"
		)

	# Sequences, for DocTypes named by autoincrement

	def create_sequence(self, doctype_name: str, *, start_value: int = 0, **kwargs: Any) -> str:
		self.sql_ddl(
			"CREATE TABLE IF NOT EXISTS `__sequences` (doctype TEXT PRIMARY KEY, value INTEGER NOT NULL)"
		)
		self.sql(
			"INSERT OR IGNORE INTO `__sequences` VALUES (%s, %s)", (doctype_name, max(start_value, 1) - 1)
		)
		return doctype_name

	def get_next_sequence_val(self, doctype_name: str, **kwargs: Any) -> int:
		self.sql("UPDATE `__sequences` SET value = value + 1 WHERE doctype = %s", (doctype_name,))
		return self.sql("SELECT value FROM `__sequences` WHERE doctype = %s", (doctype_name,))[0][0]

	def set_next_sequence_val(
		self, doctype_name: str, next_val: int, *, is_val_used: bool = False, **kwargs: Any
	) -> None:
		value = next_val if is_val_used else next_val - 1
		self.sql("UPDATE `__sequences` SET value = %s WHERE doctype = %s", (value, doctype_name))


def regexp(pattern: str | None, text: str | None) -> bool | None:
	"""Match like MariaDB: case does not count, and NULL gives NULL."""
	if pattern is None or text is None:
		return None
	return re.search(pattern, str(text), re.IGNORECASE) is not None
