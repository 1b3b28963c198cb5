"""The words of the publishing page: gaps, obstacles, ways in and what they mean."""

from __future__ import annotations

from flask_babel import gettext as _

from services.address_visibility import Answer, Shown, Way
from services.event_preflight import Finding, Mend, Obstacle
from services.members import Member, Permission
from services.publishing import Gap

ORGANIZATION = "/organizer/settings/organization"


def describe_gap(gap: Gap) -> str:
    """Return what an event lacks."""
    return {
        Gap.NAME: _("The organization's name"),
        Gap.ADDRESS: _("The organization's address"),
        Gap.REPRESENTATIVE: _("The organization's representative"),
        Gap.CONTACT: _("A contact: an email address or a page"),
        Gap.PRIVACY_QUESTION: _("A question that asks for consent to the privacy notice"),
        Gap.NOTICE: _("The privacy notice in the event's own language"),
        Gap.NOTICE_OUTDATED: _("The current privacy notice: the form has an earlier version of it"),
        Gap.OPERATOR_IN_TEXT: _("Whom the consent's text speaks of: it was made without a name"),
    }[gap]


def find_place(gap: Gap, event: str, member: Member) -> str:
    """Return where a gap is filled in; empty where a button does it, or only others may."""
    if gap in (Gap.PRIVACY_QUESTION, Gap.OPERATOR_IN_TEXT):
        return f"/organizer/events/{event}/form"
    if gap is Gap.NOTICE_OUTDATED:
        return ""
    if gap is Gap.NOTICE:
        return "/organizer/settings/notice" if member.may(Permission.ADD_EVENTS) else ""
    return ORGANIZATION if member.may(Permission.MANAGE_ORGANIZATION) else ""


def describe_obstacle(obstacle: Obstacle) -> str:
    return (_describe_meeting() | _describe_registration())[obstacle]


def _describe_meeting() -> dict[Obstacle, str]:
    """Say what is wrong with what it is, when it is and who holds it."""
    return {
        Obstacle.GONE: _(
            "Zoom has no such meeting or webinar any more, so nobody can join. It can be created "
            "anew with the same title and time: everybody is registered there again, and the links "
            "that they have lead to it. Nobody is mailed, and nobody has to do anything."
        ),
        Obstacle.SERIES_GONE: _(
            "Zoom has no such series any more, so nobody can join. Create it at Zoom again, then "
            "make an event of it here: it gets the texts and the form of this one. People are not "
            "taken over, so cancel this event, which tells everybody, and invite them to the new "
            "one."
        ),
        Obstacle.OTHER_KIND: _("At Zoom it has become the other kind. Make a new event of it."),
        Obstacle.PERSONAL_ID: _(
            "It uses the host's personal meeting ID, which cannot take registrations."
        ),
        Obstacle.NO_FIXED_TIME: _(
            "It has no fixed time at Zoom, so nobody can register. Give it one there, or make a "
            "new event."
        ),
        Obstacle.PAST: _("At Zoom it lies in the past. Move it there, then look again."),
        Obstacle.OTHER_TIME: _("Zoom has it at another time than this event."),
        Obstacle.SIGN_IN_NEEDED: _(
            "Zoom lets in only who is signed in by the authentication profile that is set there. "
            "People whose account does not fit it cannot join."
        ),
        Obstacle.NO_WEBINAR_ADDON: _(
            "The host has no webinar add-on, so Zoom takes no registrations. Give the host one in "
            "Zoom's user management, then look again."
        ),
        Obstacle.HOST_UNLICENSED: _(
            "The host has no licence, so Zoom takes no registrations. Give the host a licence "
            "in Zoom's user management, then look again."
        ),
        Obstacle.ALTERNATIVE_HOSTS: _(
            "These alternative hosts cannot register. Tell them to join from their own Zoom app."
        ),
    }


def _describe_registration() -> dict[Obstacle, str]:
    return {
        Obstacle.REGISTRATION_OFF: _("Registration is off at Zoom. Publishing switches it on."),
        Obstacle.ZOOM_FORM_OPEN: _(
            "Zoom lets everybody in by its own form, past yours and past your privacy notice. "
            "Publishing closes that way."
        ),
        Obstacle.RECURRING_WEBINAR: _(
            "Zoom cannot be told to take registrations for a webinar that recurs. Switch "
            "registration on in Zoom with approval by hand, or make one webinar for each date."
        ),
        Obstacle.OTHER_DATES: _(
            "Zoom registers people for other dates of the series than this event does. Publishing "
            "sets it as the event has it."
        ),
        Obstacle.FIELDS_REQUIRED: _(
            "Zoom requires fields that your form may leave empty. Publishing makes them optional "
            "at Zoom; your form decides what is required."
        ),
        Obstacle.ZOOM_MAILS: _(
            "Zoom sends mails of its own beside yours. Publishing switches them off."
        ),
        Obstacle.TWO_CONFIRMATIONS: _(
            "People get two confirmations: yours, and Zoom's own with a link that leads past this "
            "site. Zoom also mails them when something changes there. You can switch that off "
            "under “Content”."
        ),
        Obstacle.NO_ZOOM_MAILS: _(
            "This event keeps Zoom's own mails, and they are off at Zoom. Publishing switches them "
            "on."
        ),
    }


def describe_mend(mend: Mend) -> str:
    return {
        Mend.OUR_FORM_ALONE: _("Let people in by our form alone"),
        Mend.REQUIRE_NOTHING: _("Make them optional at Zoom"),
        Mend.OWN_ID: _("Have Zoom generate an ID"),
        Mend.NO_SIGN_IN: _("Let people in without signing in"),
        Mend.SHOW_ADDRESSES: _("Show guests' addresses in Zoom's report"),
        Mend.TAKE_TIME: _("Take the time from Zoom"),
        Mend.CREATE_AGAIN: _("Create it anew and move everybody over"),
    }[mend]


def describe_button(finding: Finding) -> str:
    """Say what the button of a finding does: the same press may mend several things."""
    assert finding.mend is not None, "it has a button"
    if finding.obstacle in (Obstacle.OTHER_DATES, Obstacle.NO_ZOOM_MAILS, Obstacle.ZOOM_MAILS):
        return _("Set it at Zoom now")
    return describe_mend(finding.mend)


def find_way_out(obstacle: Obstacle, event: str) -> tuple[str, str] | None:
    """Return the link that helps where no button can mend it: its words and its address."""
    if obstacle in (
        Obstacle.GONE,
        Obstacle.SERIES_GONE,
        Obstacle.OTHER_KIND,
        Obstacle.RECURRING_WEBINAR,
    ):
        return _("New event"), f"/organizer/events/new?like={event}"
    if obstacle in (Obstacle.NO_FIXED_TIME, Obstacle.PAST):
        return _("Open Zoom"), "https://zoom.us/meeting"
    if obstacle in (Obstacle.HOST_UNLICENSED, Obstacle.NO_WEBINAR_ADDON):
        return _("Open Zoom's user management"), "https://zoom.us/account/user"
    return None


def describe_way(way: Way) -> str:
    return {
        Way.OUR_FORM: _("Registered with your form"),
        Way.ZOOM_FORM: _("Registered with Zoom's own form"),
        Way.FORWARDED_LINK: _("Came with a link that somebody forwarded"),
        Way.CALENDAR: _("Was invited with Zoom's calendar add-in"),
        Way.SIGNED_IN: _("Is signed in to Zoom"),
        Way.BREAKOUT_LIST: _("Is named in the list of breakout rooms"),
        Way.PHONE: _("Calls by phone"),
    }[way]


def describe_shown(shown: Shown) -> str:
    return {
        Shown.YES: _("Yes"),
        Shown.NO: _("No"),
        Shown.SOMETIMES: _("Sometimes"),
        Shown.CLOSED: _("Nobody comes this way"),
    }[shown]


def explain(answer: Answer) -> str:
    """Say why, and what the organizer can rely on."""
    if answer.way is Way.OUR_FORM and answer.shown is Shown.NO:
        return _("Registration is off at Zoom. Once it is on, the address is shown.")
    if answer.way is Way.ZOOM_FORM and answer.shown is Shown.CLOSED:
        return _("Whoever registers there is not let in until you approve them in Zoom.")
    return {
        Way.OUR_FORM: _("Zoom shows the address that the person registered with; so do we."),
        Way.ZOOM_FORM: _(
            "Zoom shows it, but the person has seen neither your form nor your privacy notice."
        ),
        Way.FORWARDED_LINK: _(
            "Zoom shows the address of the person to whom the link belongs, not of who came."
        ),
        Way.CALENDAR: _(
            "Zoom shows guests whom its calendar add-in invited. The calendar file of our mails "
            "changes nothing."
        ),
        Way.SIGNED_IN: _(
            "Zoom shows members of your own account. Guests are shown where they signed in by "
            "your own authentication profile, or where the report is set to show addresses."
        ),
        Way.BREAKOUT_LIST: _("Zoom shows everybody whose address you put on that list."),
        Way.PHONE: _(
            "Zoom shows the number. Only who enters their personal PIN is known by address."
        ),
    }[answer.way]


def describe_done(done: str) -> str:
    return {
        "published": _("The event is published."),
        "close": _("Registration is closed."),
        "reopen": _("Registration is open again."),
        "cancelled": _("The event is cancelled. Everybody is told by mail."),
        "told": _("They are told once more."),
        "notice": _("The form has the current privacy notice now."),
        "moved": _("It was created anew at Zoom. Everybody is being registered there again."),
    }.get(done, "")


def say_not_kept() -> str:
    return _(
        "Zoom did not keep the change. Set it in Zoom by hand, or ask your Zoom administrator "
        "whether the account locks it."
    )
