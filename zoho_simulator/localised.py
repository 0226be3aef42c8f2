"""Zoho's messages in another language: a program must not depend on their words."""

from __future__ import annotations

GERMAN = {
	"Mandatory fields are missing.": "Pflichtfelder fehlen.",
	"User successfully moved to Do-Not-Mail.": "Der Kontakt wurde auf die Sperrliste gesetzt.",
	"User already in Do-Not-Mail.": "Der Kontakt steht bereits auf der Sperrliste.",
	"User successfully subscribed.": "Der Kontakt wurde angemeldet.",
	"User already exists in the list.": "Der Kontakt ist bereits in der Liste.",
	"A confirmation email is sent to the user. User needs to confirm to successfully subscribe.": (
		"Eine Bestätigung wurde verschickt. Der Kontakt muss sie anklicken."
	),
	"Please enter correct XML(or)JSON format.": "Bitte korrektes XML oder JSON eingeben.",
	"Invalid contact email address.": "Ungültige E-Mail-Adresse.",
	"Group email address added.": "Das ist die Adresse einer Gruppe.",
	"Contact is in the Do-Not-Mail registry.": "Der Kontakt steht auf der Sperrliste.",
	"This email address cannot be added.": "Diese Adresse wird nicht angenommen.",
	"Contact does not exist.": "Diesen Kontakt gibt es nicht.",
	"You cannot add contacts as you've reached the maximum limit.": (
		"Sie können keine weiteren Kontakte anlegen: Die Höchstzahl ist erreicht."
	),
	"Contact limit exceeded.": "Die Höchstzahl der Kontakte ist überschritten.",
	"Listkey is empty or invalid.": "Der Schlüssel der Liste fehlt oder ist ungültig.",
	"Yet,There are no contacts in this list.": "In dieser Liste sind noch keine Kontakte.",
	"No mailing list has been created.": "Es gibt noch keine Liste.",
	"Limit given is more than the maximum.": "Die Höchstzahl ist überschritten.",
}
OTHERWISE = "Es ist ein Fehler aufgetreten."


def in_german(message: str) -> str:
	"""Return a message of Zoho's in German. Short words such as "success" are not translated."""
	return GERMAN.get(message, OTHERWISE if " " in message else message)
