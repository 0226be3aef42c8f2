"""Campaigns, and a generator for their names, times and counters."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from hashlib import sha256

from zoho_simulator.mailings import Counts, Mailing
from zoho_simulator.settings import Settings

OWNER, COLLEAGUE = "700000001", "700000002"  # ids (zuid) of the two users who send campaigns
SENDERS = {OWNER: ("news@acme.example", "Acme News"), COLLEAGUE: ("sales@acme.example", "Jürgen & Søn")}
SENDER_ZONES = {OWNER: "Asia/Kolkata", COLLEAGUE: "Europe/Berlin"}

LONG_NAME = (
	"A name longer than a document's name may be: " + "spring, summer, autumn and winter, " * 4 + "again"
)
# Name, subject and special trait of the first campaigns. Further campaigns get plain names.
SPECIAL = (
	("Welcome to Acme", "Hello, and thank you for joining us", ""),
	("Which subject works better?", "A/B: Save 20 % today", "ab"),
	("Monthly news", "What happened this month", ""),
	("Monthly news", "What happened this month, again", "colleague"),
	("Prices < 100 & offers > 50 %", "<script>alert('subject')</script> \"Offers\"", ""),
	(LONG_NAME, "A short subject", "colleague"),
	("خبر الشهر \u202eabc\u202c \u2067נייר\u2069", "חדשות 📣 новости 新闻 ünïcödé", ""),
	("The night the clocks go forward", "One hour less of sleep", "spring"),
	("The night the clocks go back", "One hour more of sleep", "autumn"),
	("The hour that comes twice", "Half past two, again", "autumn-again"),
	("To one reader alone", "Only for you", "tiny"),
	("Nobody opened this", "Read me", "silent"),
)
OTHERS = ("Draft", "Scheduled", "Stopped", "Paused", "To be reviewed", "Canceled", "Draft", "In testing")
TOPICS = (
	"Product news",
	"Spring offer",
	"Webinar",
	"Customer story",
	"Survey",
	"Year in review",
	"Event",
	"Tips",
)


@dataclass
class Campaign:
	"""One campaign. Times are epoch seconds (UTC); `sent_at` is 0 for an unsent campaign, which has no mailings."""

	index: int
	key: str
	id: str
	name: str
	subject: str
	status: str
	zuid: str
	created_at: int
	sent_at: int = 0
	mailings: list[Mailing] = field(default_factory=list)
	deleted: bool = False

	@property
	def is_ab(self) -> bool:
		return len(self.mailings) > 1

	@property
	def is_sent(self) -> bool:
		return self.status == "Sent" and not self.deleted

	@property
	def type(self) -> str:
		return "abtesting" if self.is_ab else "normal"


class CampaignGenerator:
	"""Generate campaigns from the seed and the campaign's index: the same input gives the same campaign."""

	def __init__(self, settings: Settings) -> None:
		self.settings = settings
		self.today = (
			date.fromisoformat(settings.today) if settings.today else datetime.now(timezone.utc).date()
		)
		self.now = midnight(self.today)

	def hash(self, *parts: object) -> int:
		"""Return a 64-bit hash of the seed and `parts`."""
		return int.from_bytes(sha256(repr((self.settings.seed, *parts)).encode()).digest()[:8], "big")

	def key(self, index: int, role: str = "") -> str:
		return "3z" + sha256(repr((self.settings.seed, "key", index, role)).encode()).hexdigest()

	def special(self, index: int) -> str:
		"""Return the special trait of a campaign; "" for an ordinary one."""
		if index < len(SPECIAL):
			return SPECIAL[index][2]
		return "ab" if index % 10 == 1 else "colleague" if index % 10 == 4 else ""

	def weight(self, index: int) -> float:
		"""Return the relative size of a campaign. Few campaigns are large, many are small."""
		return 0.4 + (self.hash("size", index) % 1000 / 1000) ** 2 * 1.8

	def campaign(self, index: int, sent_at: int | None = None, name: str = "") -> Campaign:
		"""Return sent campaign number `index`, still without mailings."""
		special = self.special(index)
		title, subject = SPECIAL[index][:2] if index < len(SPECIAL) else self._plain(index)
		when = self.sent_at(index) if sent_at is None else sent_at
		return Campaign(
			index=index,
			key=self.key(index),
			id=str(1234567000000100000 + index * 7),
			name=name or title,
			subject=subject,
			status="Sent",
			zuid=COLLEAGUE if special == "colleague" else OWNER,
			created_at=when - 7200 - self.hash("created", index) % 172800,
			sent_at=when,
		)

	def _plain(self, index: int) -> tuple[str, str]:
		topic = TOPICS[index % len(TOPICS)]
		number = index // 25 * 25 if index % 25 == 24 else index  # every 25th repeats a name
		return f"{TOPICS[number % len(TOPICS)]} no. {number + 1}", f"{topic}: issue {index + 1} for you"

	def sent_at(self, index: int) -> int:
		"""Return when a campaign was sent: one every three days up to yesterday, some when Europe changed its clocks."""
		special = self.special(index)
		if special in ("spring", "autumn", "autumn-again"):
			month, minutes = {"spring": (3, 61), "autumn": (10, 30), "autumn-again": (10, 90)}[special]
			return last_clock_change(self.today, month) + minutes * 60
		days = (self.settings.campaigns - 1 - index) * 3
		return self.now - days * 86400 - 10800 - self.hash("sent", index) % 36000

	def other(self, number: int) -> Campaign:
		"""Return a campaign that is not sent, or not completely."""
		index = 1_000_000 + number
		status = OTHERS[number % len(OTHERS)]
		return Campaign(
			index=index,
			key=self.key(index),
			id=str(1234567000000100000 + index * 7),
			name=f"{status}: {TOPICS[number % len(TOPICS)]} {number + 1}",
			subject="" if status == "Draft" else f"Not sent to the end {number + 1}",
			status=status,
			zuid=COLLEAGUE if number % 3 == 2 else OWNER,
			created_at=self.now - 86400 * (number * 4 + 1),
			sent_at=self.now - 86400 * number * 4 - 3600 if status in ("Stopped", "Paused") else 0,
		)

	def counts(self, index: int, role: str, sent: int, special: str = "") -> Counts:
		"""Return the counters of a mailing to `sent` persons. `role` is "" or the "a" or "b" of a test mail."""
		bits = self.hash("rates", index, role)
		bounced = min(sent - 1, round(sent * (0.02 + bits % 97 / 3000)))
		delivered = sent - bounced
		share = 0 if special == "silent" else 0.12 + (bits >> 8) % 101 / 400
		opened = round(delivered * share)
		clicked = round(opened * (0.08 + (bits >> 16) % 101 / 500))
		counts = Counts(
			sent=sent,
			unsent=sent // 60,
			opened=opened,
			clicked=min(opened, max(clicked, 1 if opened > 4 else 0)),
			bounced=bounced,
			hard=bounced * 2 // 5,
		)
		if not opened:
			return counts
		opted_out = min(counts.room("opted_out"), max(round(sent * 0.006), 1 if sent > 30 else 0))
		complained = min(counts.room("complained"), max(round(sent * 0.001), 1 if sent > 60 else 0))
		return counts._replace(opted_out=opted_out, complained=complained)


def midnight(day: date) -> int:
	"""Return midnight UTC of a day in epoch seconds."""
	return int(datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp())


def last_clock_change(today: date, month: int) -> int:
	"""Return midnight UTC of the last Sunday of `month` before `today`, when Europe changed its clocks."""
	year = today.year if today.month > month else today.year - 1
	last = date(year, month + 1, 1) - timedelta(days=1)
	return midnight(last - timedelta(days=(last.weekday() + 1) % 7))
