"""Permissions of the framework that the app relies on, on the embedded site and on any bench.

If one fails on the embedded site only, its copy of the framework needs an edit (embedded/framework/source_edits.py).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe

from tests.site.embedded.probe import PROBE, new

pytestmark = pytest.mark.usefixtures("empty_probe")


def test_roles_decide_what_a_user_may_do(make_user: Callable[..., str]) -> None:
	name = new(data="a").name
	reader, nobody = make_user("Sales User"), make_user()
	frappe.set_user(reader)
	assert frappe.get_list(PROBE, pluck="name") == [name]
	assert not frappe.has_permission(PROBE, "write", doc=name)
	with pytest.raises(frappe.PermissionError):
		new(data="b")
	frappe.set_user(nobody)
	assert not frappe.has_permission(PROBE, "read")
	with pytest.raises(frappe.PermissionError):
		frappe.get_list(PROBE)
	with pytest.raises(frappe.PermissionError):
		frappe.get_doc(PROBE, name).check_permission("read")


def test_only_for_refuses_users_without_the_role(make_user: Callable[..., str]) -> None:
	frappe.set_user(make_user("Sales User"))
	frappe.only_for(("Sales User", "System Manager"))
	with pytest.raises(frappe.PermissionError):
		frappe.only_for("System Manager")


def test_user_permissions_narrow_lists_and_documents(make_user: Callable[..., str]) -> None:
	user = make_user("Sales User")
	for name in ("Spring", "Autumn"):
		frappe.get_doc({"doctype": "Campaign", "campaign_name": name}).insert()
	mine, theirs = new(campaign="Spring").name, new(campaign="Autumn").name
	frappe.get_doc(
		{"doctype": "User Permission", "user": user, "allow": "Campaign", "for_value": "Spring"}
	).insert()
	frappe.set_user(user)
	assert frappe.get_list("Campaign", pluck="name") == ["Spring"]
	assert frappe.get_list(PROBE, pluck="name") == [mine]
	assert frappe.has_permission(PROBE, "read", doc=mine) and not frappe.has_permission(
		PROBE, "read", doc=theirs
	)
