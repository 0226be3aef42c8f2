"""Draw the rooms of the app and their imports: `python docs/make_rooms_picture.py` writes docs/pictures/rooms.svg.

The order of the rooms is that of [tool.importlinter] in pyproject.toml; the imports are read from the code. Needs the
standard library only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "erpnext_zoho_integration"
PICTURE = ROOT / "docs/pictures/rooms.svg"

_PACKAGE = APP.name
_ROW, _COLUMN, _LABEL, _HEAD, _MARGIN = 26, 30, 290, 160, 16
_UPPER, _SYNC, _LOWER = "#b5651d", "#2367b5", "#2e7d4f"


def rooms() -> list[str]:
	"""Return the rooms from top to bottom, those of `sync` in its place; rooms of one layer are joined by " | "."""
	app, sync = _layers("rooms of the app"), _layers("rooms of the sync")
	at = app.index("sync")
	return [*app[:at], *(f"sync.{layer}" for layer in sync), *app[at + 1 :]]


def imports() -> set[tuple[str, str]]:
	"""Return all pairs of rooms of which the first one imports the second one."""
	room_of = {f"{_PACKAGE}.{name}": room for room in rooms() for name in room.split(" | ")}
	found = set()
	for path in sorted(APP.rglob("*.py")):
		room = _room(".".join(path.relative_to(ROOT).with_suffix("").parts), room_of)
		imported = {_room(name, room_of) for name in _imported_names(path)}
		found |= {(room, other) for other in imported if room and other and other != room}
	return found


def draw() -> str:
	"""Return the picture as SVG: a row and a column for each room, a dot where the row's room imports the column's."""
	order = rooms()
	pairs = imports()
	width = _LABEL + _COLUMN * len(order) + 110
	height = _HEAD + _ROW * len(order) + _MARGIN
	parts = [
		f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
		' font-family="sans-serif" font-size="13" role="img" aria-labelledby="title">',
		'<title id="title">Rooms of the app from top to bottom, and which room imports which</title>',
		f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>',
	]
	for row, room in enumerate(order):
		colour, x, y = _colour(room), _x(row), _y(row)
		used = sorted(order.index(other) for importer, other in pairs if importer == room)
		if row % 2:
			parts.append(f'<rect x="0" y="{y - _ROW // 2}" width="{width}" height="{_ROW}" fill="#f4f5f7"/>')
		parts.append(f'<text x="{_MARGIN}" y="{y + 5}" fill="{colour}">{escape(_title(room))}</text>')
		head = f'x="{x}" y="{_HEAD - 18}" transform="rotate(-55 {x} {_HEAD - 18})"'
		parts.append(f'<text {head} fill="{colour}">{escape(_short_title(room))}</text>')
		parts.append(f'<rect x="{x - 9}" y="{y - 9}" width="18" height="18" rx="3" fill="{colour}"/>')
		parts += [f'<circle cx="{_x(column)}" cy="{y}" r="5" fill="#444444"/>' for column in used]
	return "\n".join([*parts, "</svg>"]) + "\n"


def _layers(contract: str) -> list[str]:
	"""Return the layers of a contract; tomllib is not in Python 3.10, and the list is written as Python would write it."""
	text = (ROOT / "pyproject.toml").read_text()
	found = re.search(rf'name = "{contract}".*?^layers = (\[.*?^\])', text, re.MULTILINE | re.DOTALL)
	assert found, contract
	return ast.literal_eval(found[1])


def _imported_names(path: Path) -> Iterator[str]:
	"""Yield the dotted names that a module imports, also inside its functions; not those for type checkers only."""
	package = path.relative_to(ROOT).parent.parts
	waiting: list[ast.AST] = [ast.parse(path.read_text())]
	while waiting:
		node = waiting.pop()
		if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
			waiting += node.orelse
			continue
		waiting += ast.iter_child_nodes(node)
		if isinstance(node, ast.Import):
			yield from (alias.name for alias in node.names)
		elif isinstance(node, ast.ImportFrom):
			base = package[: len(package) + 1 - node.level] if node.level else ()
			module = ".".join([*base, *([node.module] if node.module else [])])
			yield from (f"{module}.{alias.name}" for alias in node.names)


def _room(name: str, room_of: dict[str, str]) -> str | None:
	"""Return the room of a dotted name, or None for what is outside of all rooms."""
	parts = name.split(".")
	prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
	return next((room_of[prefix] for prefix in prefixes if prefix in room_of), None)


def _title(room: str) -> str:
	if room == _PACKAGE:
		return f"{_PACKAGE}/ (api, desk, doctype …)"
	return ", ".join(path_of(name) for name in room.split(" | "))


def _short_title(room: str) -> str:
	if room == _PACKAGE:
		return "api, desk, doctype …"
	return ", ".join(name.removeprefix("sync.") for name in room.split(" | "))


def path_of(name: str) -> str:
	"""Return the path of a room within the app, with a slash if it is a folder."""
	path = APP.joinpath(*name.split("."))
	return name.replace(".", "/") + ("/" if path.is_dir() else ".py")


def _colour(room: str) -> str:
	if room.startswith("sync."):
		return _SYNC
	order = rooms()
	return _UPPER if order.index(room) < order.index(_PACKAGE) + 1 else _LOWER


def _x(column: int) -> int:
	return _LABEL + _COLUMN * column + _COLUMN // 2


def _y(row: int) -> int:
	return _HEAD + _ROW * row + _ROW // 2


if __name__ == "__main__":
	PICTURE.write_text(draw())
