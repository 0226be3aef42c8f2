"""Persons have every irregular spelling, missing value and odd field that Zoho can send."""

from collections import Counter

import pytest


@pytest.fixture(scope="module")
def everyone(reader):
	"""Return one row of each contact who received a campaign."""
	rows = {}
	for campaign in reader.campaigns(status="sent"):
		for key in reader.keys(campaign):
			rows.update((row["contactid"], row) for row in reader.listed(key, "sentcontacts"))
	return list(rows.values())


def test_emails_have_all_spellings_that_collations_confuse(everyone):
	emails = {row.get("contactemailaddress", "") for row in everyone}
	for pair in (("müller", "muller"), ("straße", "strasse"), ("😀", "😎"), ("élodie", "elodie")):
		both = [{email.split(".", 1)[1] for email in emails if email.startswith(f"{each}.")} for each in pair]
		assert both[0] & both[1], f"{pair} differ in nothing else"
	assert any(email != email.strip() for email in emails)
	assert any(email != email.lower() for email in emails)
	spelled = Counter(email.strip().lower() for email in emails)
	assert max(count for email, count in spelled.items() if email) == 2


def test_missing_values_have_every_form(everyone):
	forms = {row.get("contactemailaddress", "absent") for row in everyone if row["rtbf"] == "0"}
	assert {"", "null", "absent"} <= forms
	assert any(row.get("companyname") == "undefined" for row in everyone)
	assert any("contactfn" not in row and "firstname" not in row for row in everyone)
	assert any("firstname" in row for row in everyone)
	assert all(isinstance(value, str) for row in everyone for value in row.values())


def test_erased_contacts_are_marked_and_have_no_name(everyone):
	erased = [row for row in everyone if row["rtbf"] == "1"]
	assert {row["contactfn"] for row in erased} == {"null"}
	assert {row["contactemailaddress"] == "null" for row in erased} == {True, False}


def test_fields_have_markup_other_scripts_and_long_values(everyone):
	companies = [row.get("companyname", "") for row in everyone]
	assert any("<script>" in company for company in companies)
	assert any("\u202e" in company for company in companies)
	assert any("🌸" in company for company in companies)
	assert any(len(company) > 140 for company in companies)
	assert any(len(row.get("jobtitle", "")) > 140 for row in everyone)
	assert any("\n" in company for company in companies)
