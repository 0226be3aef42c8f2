"""The result of writing a page: counts and notes."""

from dataclasses import dataclass, field, fields


@dataclass(slots=True)
class Note:
	"""A message about a record, for the run's log.

	Attributes:
		message: translated.
		stage: of the sync, such as `Recipients`.
		is_error: counts as an error of the run.
	"""

	message: str
	stage: str
	is_error: bool = False


@dataclass(slots=True)
class PageResult:
	"""The result of writing a page of recipients: numbers of records, and notes about single ones."""

	inserted: int = 0
	updated: int = 0
	unchanged: int = 0
	duplicates: int = 0
	skipped: int = 0
	erased: int = 0
	contacts_created: int = 0
	linked: int = 0
	opted_out: int = 0
	notes: list[Note] = field(default_factory=list)

	def add(self, other: "PageResult") -> None:
		"""Add the result of another page."""
		for counter in fields(self):
			setattr(self, counter.name, getattr(self, counter.name) + getattr(other, counter.name))
