"""Erase This Person: where a System Manager finds it, what it asks, and what it tells."""

from __future__ import annotations

import frappe

from tests.browser.pages import expect_text, make_contact, route, settled, spring_campaign

MENU = ".page-actions .menu-btn-group:visible"


def open_menu(page) -> None:
	settled(page)
	page.locator(f"{MENU} button").first.click()


def test_a_person_is_erased_from_the_contact(desk, make_user):
	contact = make_contact("a@x.test")
	spring_campaign()
	rows = frappe.db.count("Campaign Recipient", {"email": "a@x.test"})
	frappe.db.commit()
	page = desk(make_user("System Manager", "Sales Manager", "Sales User"))
	page.goto(route("Contact", contact))
	open_menu(page)
	page.get_by_text("Erase This Person...").first.click()
	dialog = page.locator(".modal.show")
	expect_text(dialog, "This cannot be undone")
	assert dialog.get_by_text("a@x.test").is_visible()
	dialog.get_by_role("button", name="Erase").click()
	expect_text(page, f"{rows} recipients anonymised")
	frappe.db.rollback()
	assert rows and not frappe.db.count("Campaign Recipient", {"email": "a@x.test"})


def test_only_a_system_manager_is_offered_it(desk, make_user):
	contact = make_contact("b@x.test")
	spring_campaign()
	page = desk(make_user("Sales User"))
	page.goto(route("Contact", contact))
	open_menu(page)
	assert page.get_by_text("Erase This Person...").count() == 0
