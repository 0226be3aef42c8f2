"""Create and alter tables on SQLite with keys, defaults, indexes and lengths that work as on MariaDB.

The package's version rebuilds an altered table without its primary key, defaults and indexes, and creates no index
for `search_index`.
"""

import re
from dataclasses import dataclass

import frappe
from frappe.database.schema import DbColumn, DBTable, get_definition

VARCHAR = re.compile(r"varchar\((\d+)\)")
TEXT_TYPES = ("varchar", "text", "longtext")
STANDARD_COLUMNS = {
	"name": "varchar(140)",
	"creation": "datetime",
	"modified": "datetime",
	"modified_by": "varchar(140)",
	"owner": "varchar(140)",
	"docstatus": "integer NOT NULL DEFAULT 0",
	"idx": "integer NOT NULL DEFAULT 0",
}
CHILD_COLUMNS = {"parent": "varchar(140)", "parentfield": "varchar(140)", "parenttype": "varchar(140)"}


def index_name(table_name: str, name: str) -> str:
	"""Return an index's name with the table's: SQLite has one list of index names for all tables."""
	return f"{table_name}_{name}".replace(" ", "_")


def indexed_columns(table_name: str) -> tuple[set[str], set[str]]:
	"""Return the columns with a unique index of their own, and the first columns of other indexes."""
	unique, plain = set(), set()
	for index in frappe.db.sql(f"PRAGMA index_list(`{table_name}`)", as_dict=True):
		columns = frappe.db.sql(f"PRAGMA index_info(`{index.name}`)", as_dict=True)
		if index.origin == "pk" or not columns:
			continue
		if index.unique and len(columns) == 1:
			unique.add(columns[0].name)
		elif not index.unique:
			plain.add(columns[0].name)
	return unique, plain


@dataclass(frozen=True)
class Column:
	"""A column with the properties that PRAGMA table_info returns."""

	name: str
	type: str
	not_null: bool
	default: str | None

	@classmethod
	def parse(cls, name: str, definition: str) -> "Column":
		"""Parse Frappe's definition: a type, an optional NOT NULL, an optional DEFAULT with a literal."""
		before, _, default = definition.partition(" DEFAULT ")
		return cls(name, before.removesuffix(" NOT NULL"), before.endswith(" NOT NULL"), default or None)

	def sql(self) -> str:
		"""Return its SQL with MariaDB's meaning: text compares without case, and its length is checked."""
		parts = [f"`{self.name}` {self.type}"]
		if self.name == "name":
			parts.append("PRIMARY KEY")
		if self.not_null:
			parts.append("NOT NULL")
		if self.default is not None:
			parts.append(f"DEFAULT {self.default}")
		if self.type.startswith(TEXT_TYPES):
			parts.append("COLLATE NOCASE")
		if length := VARCHAR.fullmatch(self.type):
			parts.append(f"CHECK(length(`{self.name}`) <= {length[1]})")
		return " ".join(parts)


class Table(DBTable):
	"""One DocType's table."""

	def create(self) -> None:
		frappe.db.sql_ddl(self._create_statement(self.table_name, list(self._wanted().values())))
		self._sync_indexes()

	def alter(self) -> None:
		wanted, current = self._wanted(), self._current()
		# As on MariaDB, columns stay that the DocType no longer has.
		columns = [wanted.get(name, column) for name, column in current.items()]
		if any(current[column.name] != column for column in columns):
			self._rebuild(columns)
		for name, column in wanted.items():
			if name not in current:
				frappe.db.sql_ddl(f"ALTER TABLE `{self.table_name}` ADD COLUMN {column.sql()}")
		self._sync_indexes()

	def _wanted(self) -> dict[str, Column]:
		definitions = dict(STANDARD_COLUMNS)
		if self.meta.autoname == "autoincrement":
			definitions["name"] = "integer"
		if self.meta.get("istable"):
			definitions |= CHILD_COLUMNS
		for name, column in self.columns.items():
			definition = column.get_definition(for_modification=True)
			if definition and name not in definitions:
				definitions[name] = definition
		return {name: Column.parse(name, definition) for name, definition in definitions.items()}

	def _current(self) -> dict[str, Column]:
		rows = frappe.db.sql(f"PRAGMA table_info(`{self.table_name}`)", as_dict=True)
		# SQLite returns known types in capitals, however they were written.
		return {
			row.name: Column(row.name, row.type.lower(), bool(row.notnull), row.dflt_value) for row in rows
		}

	@staticmethod
	def _create_statement(table_name: str, columns: list[Column]) -> str:
		return f"CREATE TABLE `{table_name}` (\n{', '.join(column.sql() for column in columns)}\n)"

	def _rebuild(self, columns: list[Column]) -> None:
		"""Copy the rows into a table with the wanted columns, which replaces the old one, and create its indexes."""
		indexes = frappe.db.sql(
			"SELECT sql FROM sqlite_master WHERE type='index' AND tbl_name=%s AND sql IS NOT NULL",
			(self.table_name,),
			pluck=True,
		)
		new = f"{self.table_name}_new"
		frappe.db.sql_ddl(f"DROP TABLE IF EXISTS `{new}`")
		frappe.db.sql_ddl(self._create_statement(new, columns))
		names = ", ".join(f"`{column.name}`" for column in columns)
		values = ", ".join(
			f"coalesce(`{column.name}`, {column.default})"
			if column.not_null and column.default is not None
			else f"`{column.name}`"
			for column in columns
		)
		frappe.db.sql_ddl(f"INSERT INTO `{new}` ({names}) SELECT {values} FROM `{self.table_name}`")
		frappe.db.sql_ddl(f"DROP TABLE `{self.table_name}`")
		frappe.db.sql_ddl(f"ALTER TABLE `{new}` RENAME TO `{self.table_name}`")
		for statement in indexes:
			frappe.db.sql_ddl(statement)

	def _sync_indexes(self) -> None:
		"""Create the indexes that the DocType wants, and drop those that it no longer wants."""
		existing = set(
			frappe.db.sql(
				"SELECT name FROM sqlite_master WHERE type='index' AND tbl_name=%s",
				(self.table_name,),
				pluck=True,
			)
		)
		wanted = {
			index_name(self.table_name, f"{field}{'_unique' if unique else '_index'}"): (field, unique)
			for field, unique in self._wanted_indexes()
		}
		for name in wanted.keys() - existing:
			field, unique = wanted[name]
			kind = "UNIQUE INDEX" if unique else "INDEX"
			frappe.db.sql_ddl(f"CREATE {kind} `{name}` ON `{self.table_name}` (`{field}`)")
		ours = {
			index_name(self.table_name, name + suffix)
			for name in self.columns
			for suffix in ("_unique", "_index")
		}
		for name in existing & ours - wanted.keys():
			frappe.db.sql_ddl(f"DROP INDEX `{name}`")

	def _wanted_indexes(self) -> list[tuple[str, bool]]:
		wanted = [("parent" if self.meta.get("istable") else "creation", False)]
		if self.meta.sort_field == "modified":
			wanted.append(("modified", False))
		for name, column in self.columns.items():
			if self._can_be_indexed(column):
				wanted += [(name, True)] * bool(column.unique) + [(name, False)] * bool(column.set_index)
		return wanted

	@staticmethod
	def _can_be_indexed(column: DbColumn) -> bool:
		definition = get_definition(column.fieldtype, column.precision, column.length)
		return bool(definition) and definition not in ("text", "longtext")
