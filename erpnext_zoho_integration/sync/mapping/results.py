"""What became of a page: counts and notes."""

from dataclasses import dataclass, field, fields


@dataclass(slots=True)
class Note:
	"""Something about a record that the reader of the run should know."""

	message: str
	stage: str
	is_error: bool = False


@dataclass(slots=True)
class PageResult:
	"""What became of a page."""

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
		"""Add what became of another page."""
		for counter in fields(self):
			setattr(self, counter.name, getattr(self, counter.name) + getattr(other, counter.name))
