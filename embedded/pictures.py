"""`./dev pictures`: take the screenshots in docs/pictures on a site that is connected to a simulated Zoho."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from embedded import browser, demo, demo_steps
from embedded.bench import TemporaryBench
from embedded.desk_build import NoDesk
from embedded.paths import ADMIN_PASSWORD, ROOT
from embedded.virtual_environment import Missing

FOLDER = ROOT / "docs" / "pictures"
COLOURS = 128  # of a picture: enough for the Desk, and a fifth of the file size
DATA = ["--campaigns", "40", "--recipients", "20000", "--seed", "7"]
DESKTOP, PHONE = (1440, 1000), (390, 844)
SHARPNESS = {DESKTOP: 1.25, PHONE: 1.5}  # pixels of the picture for one of the page
MARKETER = {"email": "maya@acme.example", "first_name": "Maya", "last_name": "Lindqvist"}
# The roles of the user who connects the site, and later of the user who works with it.
ADMINISTRATOR, SELLER = [{"role": "System Manager"}, {"role": "Sales Manager"}], [{"role": "Sales Manager"}]
PLAIN_NAME = re.compile(r"[A-Z][a-z]+ [A-Z][a-z]+")  # the simulated Zoho also has unusual names
PATIENCE = 120_000  # milliseconds


def main(given: list[str]) -> int:
	"""Take all pictures, or those whose names contain one of the given words."""
	try:
		executable = browser.ensure()
		with TemporaryBench() as bench:
			bench.add_desk()
			demo.start_everything(bench, demo.arguments(DATA))
			Photographer(bench.base_url, executable, given).take_all()
	except (browser.NoBrowser, NoDesk) as reason:
		raise Missing(str(reason)) from None
	return 0


class Photographer:
	"""Use the Desk in a browser as a marketer does, and take pictures.

	Args:
		base_url: of the site.
		executable: the path of Chromium.
		wanted: words, one of which a picture's name must contain; all pictures are taken if there are none.
	"""

	def __init__(self, base_url: str, executable: str, wanted: list[str]) -> None:
		self.executable, self.wanted = executable, wanted
		self.password = secrets.token_urlsafe(16)
		self.client = demo_steps.Client(base_url)
		self.chromium = None
		self.campaign = self.contact = ""

	def create_user(self) -> None:
		"""Create the marketer, who may connect the site at first."""
		self.client.log_in("Administrator", ADMIN_PASSWORD)
		user = {**MARKETER, "roles": ADMINISTRATOR, "send_welcome_email": 0, "new_password": self.password}
		self.client.request("POST", "/api/resource/User", json=user)

	def take_all(self) -> None:
		"""Take all wanted pictures."""
		from playwright.sync_api import sync_playwright

		self.create_user()
		with sync_playwright() as driver:
			self.chromium = driver.chromium.launch(executable_path=self.executable, args=browser.ARGUMENTS)
			page = self.open(DESKTOP)
			self.connect(page)
			self.sync(page)
			self.look_around(page)
			page.context.close()
			self.look_on_a_phone()
			self.look_in_the_dark()
			self.chromium.close()

	def open(self, size: tuple[int, int]):
		"""Open a browser window of a size in pixels, logged in as the marketer."""
		context = self.chromium.new_context(
			base_url=self.client.base_url,
			viewport={"width": size[0], "height": size[1]},
			device_scale_factor=SHARPNESS[size],
			reduced_motion="reduce",
		)
		context.set_default_timeout(PATIENCE)
		form = {"usr": MARKETER["email"], "pwd": self.password}
		context.request.post("/api/method/login", form=form)
		return context.new_page()

	def connect(self, page) -> None:
		"""Connect the site with the buttons of Zoho Settings."""
		self.visit(page, "zoho-settings")
		page.locator("[data-fieldname=client_id] input").fill(demo.CLIENT_ID)
		page.locator("[data-fieldname=client_secret] input").fill(demo.CLIENT_SECRET)
		page.locator("[data-fieldname=client_secret] input").blur()
		self.take(page, "connect")
		page.get_by_role("button", name="Authorize with Zoho").locator("visible=true").click()
		page.get_by_role("button", name="Accept").wait_for()
		page.get_by_role("button", name="Accept").click()
		page.get_by_text(re.compile("Connected to Zoho Campaigns by")).wait_for()

	def sync(self, page) -> None:
		"""Sync all campaigns; take a picture of the progress bar on the way."""
		page.get_by_role("button", name="Sync All Campaigns").locator("visible=true").click()
		page.get_by_text("This makes about").wait_for()
		page.get_by_role("button", name="Yes").locator("visible=true").click()
		bar = page.locator(".progress-chart")
		bar.wait_for()
		page.wait_for_function(
			"() => Number(document.querySelector('.progress-chart .progress')?.ariaValueNow || 100) > 25"
		)
		self.take(page, "syncing", settle=False)
		bar.wait_for(state="detached")
		self.visit(page, "zoho-settings")
		self.take(page, "settings")

	def look_around(self, page) -> None:
		"""Take the pictures of synced data."""
		newest = self.list("Campaign", "name", {"zoho_campaign_key": ["is", "set"]}, "zoho_sent_time desc")
		clicked = {"action_type": "Clicked", "campaign": ["in", newest[:12]]}
		self.campaign = Counter(self.list("Campaign Recipient", "campaign", clicked)).most_common(1)[0][0]
		opened = {"action_type": "Opened", "contact": ["is", "set"]}
		keen = Counter(self.list("Campaign Recipient", "contact", opened))
		people = self.list("Campaign Recipient", "contact", {**clicked, "campaign": self.campaign})
		self.contact = max(filter(PLAIN_NAME.fullmatch, filter(None, people)), key=lambda name: keen[name])
		self.client.write("User", MARKETER["email"], {"roles": SELLER})
		self.visit(page, "zoho-campaigns")
		self.take(page, "workspace")
		self.visit(page, "campaign", self.campaign, wait_for="[data-card=sent]")
		self.take(page, "campaign")
		self.visit(page, f"campaign-recipient/view/list?campaign={quote(self.campaign)}&action_type=Clicked")
		self.take(page, "recipients")
		self.visit(page, "contact", self.contact, wait_for="[data-card=clicks]")
		self.take(page, "contact")
		run = self.list("Zoho Sync Run", "name", {})[0]
		self.visit(page, "zoho-sync-run", run)
		self.take(page, "run")
		for name in ("Campaign Performance", "Link Performance"):
			self.visit(page, "query-report", name, wait_for=".dt-cell__content")
			self.take(page, name.lower().replace(" ", "-"))

	def look_on_a_phone(self) -> None:
		"""Take the pictures at the size of a phone."""
		page = self.open(PHONE)
		self.visit(page, "campaign", self.campaign, wait_for="[data-card=sent]")
		self.take(page, "phone-campaign")
		self.visit(page, "contact", self.contact, wait_for="[data-card=clicks]")
		self.take(page, "phone-timeline", prepare=self.scroll_to("Clicked a link in the campaign"))
		page.context.close()

	def look_in_the_dark(self) -> None:
		"""Take the pictures with the dark theme."""
		self.client.write("User", MARKETER["email"], {"desk_theme": "Dark"})
		page = self.open(DESKTOP)
		self.visit(page, "campaign", self.campaign, wait_for="[data-card=sent]")
		self.take(page, "dark-campaign")
		page.context.close()

	def list(self, doctype: str, field: str, filters: dict, order_by: str = "name") -> list:
		"""Return one field of each row of a list."""
		answer = self.client.call(
			"frappe.client.get_list",
			doctype=doctype,
			fields=[field],
			filters=filters,
			order_by=order_by,
			limit_page_length=0,
		)
		return [row[field] for row in answer]

	def visit(self, page, *parts: str, wait_for: str = "") -> None:
		"""Open a page of the Desk and wait until it is loaded."""
		path = "/".join(part if "?" in part else quote(part) for part in parts)
		page.goto(f"/app/{path}")
		page.wait_for_load_state("networkidle")
		if wait_for:
			page.locator(wait_for).locator("visible=true").first.wait_for()

	@staticmethod
	def scroll_to(text: str) -> Callable:
		"""Return a function that scrolls a page until the text is at the top of the window."""

		def scroll(page) -> None:
			page.get_by_text(text).first.evaluate("element => element.scrollIntoView({ block: 'start' })")
			page.mouse.wheel(0, -90)  # below the fixed bar

		return scroll

	def take(self, page, name: str, *, settle: bool = True, prepare: Callable | None = None) -> None:
		"""Write docs/pictures/<name>.png."""
		if self.wanted and not any(word in name for word in self.wanted):
			return
		if prepare:
			prepare(page)
		if settle:
			page.wait_for_load_state("networkidle")
			page.wait_for_timeout(1500)  # for the animation of charts
		FOLDER.mkdir(parents=True, exist_ok=True)
		path = FOLDER / f"{name}.png"
		page.screenshot(path=path, animations="disabled" if settle else "allow", caret="hide")
		reduce(path)
		print(f"  {path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} kB", flush=True)


def reduce(path: Path) -> None:
	"""Reduce the number of colours, so that the file is small."""
	from PIL import Image

	picture = Image.open(path).convert("RGB")
	few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
	few.save(path, optimize=True)
