"""The persons of the account. Each is computed from the seed and the person's index; none is kept in memory.

Most persons are ordinary. The index modulo 192 selects odd spellings: look-alike e-mails, other scripts, markup, values that
are too long. The index modulo 100 selects contacts that a sync must treat specially: erased contacts, contacts without an
e-mail, and second contacts with another contact's e-mail. Thus the special persons of any range are found by arithmetic.
"""

from __future__ import annotations

import json

FIRST = (
	*("Anna", "Asha", "Amir", "Bea", "Carlos", "Chloe", "Chidi", "Dana", "Deepa", "Emil", "Esra", "Eva"),
	*("Farid", "Fiona", "Gita", "Goran", "Hana", "Hugo", "Ines", "Ivan", "Jana", "Jorge", "Kavya"),
	*("Kenji", "Lara", "Leon", "Lina", "Luca", "Maya", "Mei", "Milan", "Nadia", "Nikhil", "Nora", "Omar"),
	*("Otto", "Paula", "Priya", "Rafael", "Rahul", "Rosa", "Sami", "Sana", "Sven", "Tara", "Tomas"),
	*("Uma", "Vera", "Victor", "Wanda", "Wei", "Yara", "Yusuf", "Zoe"),
)
LAST = (
	*("Adeyemi", "Andersson", "Bauer", "Becker", "Bianchi", "Bose", "Brown", "Chen", "Costa", "Das"),
	*("Diaz", "Dubois", "Evans", "Farah", "Fischer", "Garcia", "Gupta", "Haddad", "Hansen", "Iyer"),
	*("Jansen", "Jones", "Joshi", "Kapoor", "Kaur", "Keller", "Khan", "Kim", "Kowalski", "Kumar", "Lang"),
	*("Lopez", "Martin", "Mehta", "Menon", "Mishra", "Moreau", "Nair", "Nguyen", "Novak", "Okafor"),
	*("Olsen", "Patel", "Pereira", "Petrov", "Rao", "Reddy", "Rossi", "Roy", "Sato", "Schmidt", "Shah"),
	*("Sharma", "Silva", "Singh", "Suzuki", "Tanaka", "Torres", "Verma", "Weber", "Wilson", "Yamada"),
	*("Yilmaz", "Zhang"),
)
DOMAINS = ("example.com", "example.org", "example.net", "mail.example", "office.example", "post.example")
COMPANIES = (
	*("Acme Tools", "Banyan Foods", "Blue Lotus Tea", "Cedar & Co", "Delta Print", "Everest Optics"),
	*("Fjord Freight", "Ganges Textiles", "Harbour Coffee", "Indigo Labs", "Juniper Books"),
	*("Kite Logistics", "Lumen Electric", "Mango Media", "Northwind Paper", "Orchid Health"),
	*("Palm Garden Hotels", "Quartz Mining", "Saffron Spices"),
)
JOBS = (
	*("Accountant", "Buyer", "CEO", "CTO", "Designer", "Engineer", "Head of Sales", "HR Manager"),
	*("Marketing Manager", "Office Manager", "Owner", "Product Manager", "Purchasing Assistant"),
	*("Researcher", "Store Manager", "Teacher"),
)
# city, state, country, postal code, time zone
PLACES = (
	("Mumbai", "Maharashtra", "India", "400001", "Asia/Kolkata"),
	("Bengaluru", "Karnataka", "India", "560001", "Asia/Kolkata"),
	("Delhi", "Delhi", "India", "110001", "Asia/Kolkata"),
	("Köln", "Nordrhein-Westfalen", "Germany", "50667", "Europe/Berlin"),
	("London", "England", "United Kingdom", "EC1A 1BB", "Europe/London"),
	("São Paulo", "SP", "Brazil", "01000-000", "America/Sao_Paulo"),
	("New York", "NY", "United States", "10001", "America/New_York"),
	("東京", "東京都", "Japan", "100-0001", "Asia/Tokyo"),
	("Nairobi", "", "Kenya", "00100", "Africa/Nairobi"),
	("دبي", "دبي", "United Arab Emirates", "", "Asia/Dubai"),
)
BLANK_KEYS = (
	*("companyname", "jobtitle", "title", "phone", "mobile", "website", "secondary_email", "note", "address"),
	*("city", "state", "country", "zipcode", "timezone"),
	*("facebook_handle", "linkedin_handle", "twitter_handle"),
)

# Index modulo 192: persons with an oddly spelled e-mail ...
ODD_EVERY = 192
LOOK_ALIKES = ("müller", "muller", "straße", "strasse", "😀", "😎", "élodie", "elodie")
MIXED_CASE, SPACES, PLUS = 8, 9, 10
ODD_EMAIL = range(11)
# ... and persons with odd fields.
ODD_FIELDS = range(20, 28)
RIGHT_TO_LEFT, HAN, MARKUP, OVER_LONG, NULLS, ABSENT, DOCUMENTED_NAMES, QUOTES = ODD_FIELDS

# Index modulo 100: erased, without an e-mail, and a second contact with the e-mail of the person before.
ERASED, MISSING, DUPLICATE = 37, 61, 83
SPECIAL = (ERASED, MISSING, DUPLICATE - 1, DUPLICATE)

to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class People:
	"""All possible persons of one seed, by their index from 0."""

	def __init__(self, seed: int) -> None:
		self.seed = seed
		self._salt = (seed * 0x2545F4914F6CDD1D + 0x632BE59BD9B4E019) & 0xFFFFFFFFFFFFFFFF

	def mix(self, person: int) -> int:
		"""Return a 64-bit hash of a person (the finaliser of SplitMix64)."""
		bits = (person * 0x9E3779B97F4A7C15 + self._salt) & 0xFFFFFFFFFFFFFFFF
		bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
		return bits ^ (bits >> 27)

	def contact_id(self, person: int) -> str:
		"""Return Zoho's 19-digit id of the contact."""
		return str(1234567000000000005 + person * 13)

	def email(self, person: int) -> str:
		"""Return the e-mail as Zoho spells it; "" for a contact without one."""
		special = person % 100
		if special == MISSING:
			return ""
		if special == DUPLICATE:
			return f" {self.email(person - 1).strip().title()}"
		odd = person % ODD_EVERY
		if odd < len(LOOK_ALIKES):
			return f"{LOOK_ALIKES[odd]}.{person // ODD_EVERY}@example.com"
		bits = self.mix(person)
		first, last = FIRST[bits % len(FIRST)], LAST[(bits >> 8) % len(LAST)]
		domain = DOMAINS[(bits >> 16) % len(DOMAINS)]
		if odd == MIXED_CASE:
			return f"{first}.{last}{person}@{domain.title()}"
		plain = f"{first}.{last}{person}@{domain}".lower()
		if odd == SPACES:
			return f"  {plain} "
		return plain.replace("@", "+news@") if odd == PLUS else plain

	def key(self, person: int) -> str:
		"""Return the e-mail without outer spaces and in lower case. Contacts with the same key are one recipient."""
		return self.email(person).strip().lower()

	def first_of(self, person: int) -> int:
		"""Return the first person with the e-mail of this person."""
		return person - 1 if person % 100 == DUPLICATE else person

	def profile(self, person: int) -> str:
		"""Return the contact's fields as JSON, without the braces of the object."""
		odd, special = person % ODD_EVERY, person % 100
		if odd in ODD_FIELDS or special == MISSING:
			fields = json.loads("{" + self._plain(person, self.email(person)) + "}")
			self._apply_oddity(person, fields)
			return to_json(fields)[1:-1]
		return self._plain(person, self.email(person) if odd in ODD_EMAIL or special == DUPLICATE else "")

	def _plain(self, person: int, email: str) -> str:
		"""Return an ordinary contact's fields as JSON, without braces; an empty `email` stands for the usual one."""
		bits = self.mix(person)
		first, last = FIRST[bits % len(FIRST)], LAST[(bits >> 8) % len(LAST)]
		city, state, country, code, zone = PLACES[(bits >> 24) % len(PLACES)]
		if not email:
			email = f"{first}.{last}{person}@{DOMAINS[(bits >> 16) % len(DOMAINS)]}".lower()
		# No value needs escaping: neither the words above nor the e-mails contain quotes or backslashes.
		return (
			f'"contactid":"{1234567000000000005 + person * 13}","contactemailaddress":"{email}",'
			f'"contactfn":"{first}","contactln":"{last}","companyname":"{COMPANIES[(bits >> 32) % len(COMPANIES)]}",'
			f'"jobtitle":"{JOBS[(bits >> 40) % len(JOBS)]}","title":"","phone":"+91 {7000000000 + person}",'
			f'"mobile":"","website":"","secondary_email":"null","note":"","address":"","city":"{city}",'
			f'"state":"{state}","country":"{country}","zipcode":"{code}","timezone":"{zone}",'
			'"facebook_handle":"null","linkedin_handle":"","twitter_handle":""'
		)

	def _apply_oddity(self, person: int, fields: dict[str, str]) -> None:
		"""Change the fields of an odd person in place."""
		odd = person % ODD_EVERY
		if odd == RIGHT_TO_LEFT:
			fields |= {"contactfn": "דנה", "contactln": "العلي", "companyname": "شركة \u202eالنخيل\u202c"}
		elif odd == HAN:
			fields |= {"contactfn": "美玲", "contactln": "王", "companyname": "株式会社さくら 🌸"}
		elif odd == MARKUP:
			script = "<script>alert('zoho')</script>"
			fields |= {"contactfn": "<b>Bold</b>", "contactln": 'O\'Brien & "Sons"', "companyname": script}
			fields |= {"note": "<img src=x onerror=alert(1)>", "jobtitle": "{{ frappe.session.user }}"}
		elif odd == OVER_LONG:
			fields |= {"companyname": "Very Long Company Name " * 12, "jobtitle": "Vice President of " * 20}
			fields |= {"phone": "+49 " + "0123456789 " * 20, "note": "n" * 2000}
		elif odd == NULLS:
			fields |= dict.fromkeys((*BLANK_KEYS, "contactfn", "contactln"), "null")
			fields |= {"companyname": "undefined"}
		elif odd == ABSENT:
			for name in (*BLANK_KEYS, "contactfn", "contactln"):
				del fields[name]
		elif odd == DOCUMENTED_NAMES:  # Zoho documents these names, but usually sends the others
			fields["firstname"], fields["lastname"] = fields.pop("contactfn"), fields.pop("contactln")
		elif odd == QUOTES:
			fields |= {
				"contactfn": 'Ann "Annie"',
				"contactln": "Back\\slash",
				"companyname": "Tab\tand\nline",
			}
		if person % 100 == MISSING:
			form = person // 100 % 3
			if form == 2:
				del fields["contactemailaddress"]
			else:
				fields["contactemailaddress"] = ("", "null")[form]

	def erased_profile(self, person: int) -> str:
		"""Return the fields of an erased contact, like `profile`. Every other erased contact keeps its e-mail."""
		left = self.email(person) if person // 100 % 2 else "null"
		fields = {"contactid": self.contact_id(person), "contactemailaddress": left}
		return to_json(fields | dict.fromkeys(("contactfn", "contactln", *BLANK_KEYS), "null"))[1:-1]
