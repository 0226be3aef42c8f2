"""The Python console of `./dev site`, with `frappe` connected to the site as Administrator."""

import code
import os
import rlcompleter

import frappe


def main() -> None:
	"""Connect, and run the console until the end of input."""
	frappe.init(os.environ["FRAPPE_SITE"])
	frappe.connect()
	names = {"frappe": frappe}
	try:
		import readline

		readline.set_completer(rlcompleter.Completer(names).complete)
		readline.parse_and_bind("tab: complete")
	except ImportError:
		pass
	code.interact(
		"frappe is connected as Administrator; frappe.db.commit() keeps what you do.", local=names, exitmsg=""
	)
	frappe.destroy()


if __name__ == "__main__":
	main()
