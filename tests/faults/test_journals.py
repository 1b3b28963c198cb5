"""The comparison of the journals finds every kind of loss, doubling and leak that it is shown."""

from dataclasses import replace

import pytest

from tests.fixtures.databases import only_sqlite
from tests.people import TARO as PERSON

from .crowd import Crowd
from .journals import (
    Answer,
    AskedMail,
    AtZoom,
    Copy,
    Effect,
    Journals,
    Row,
    check,
    count_doubled_mails,
    find_faults,
    gather,
    read_copy,
)

TARO, HANAKO = "taro@example.com", "hanako@example.com"
SCREEN, MAILED, OTHERS = (letter + "x" * 44 for letter in "kmn")
LINK = "https://events.example.com/j/"
ZOOM = "https://zoom.example/w/1?tk="
RECEIPT = "/s/taro"

ROW = Row(
    meeting_id=1,
    email=TARO,
    status="approved",
    delivery="registered",
    zoom_link=f"{ZOOM}secret&pwd=1",
    receipts=frozenset({RECEIPT}),
    screen_tokens=frozenset({SCREEN}),
    mail_tokens=frozenset({MAILED}),
)
PERSON_AT_ZOOM = AtZoom(1, TARO, "approved", "secret")
COPY = Copy(TARO, "1", f"Join here: {LINK}{MAILED}")
MAIL = AskedMail("1", TARO, "confirmation", "sent")
WHOLE = Journals(
    answers=[Answer(TARO, RECEIPT, f"Registered. {LINK}{SCREEN}"), Answer(TARO, None, "503")],
    rows=[ROW],
    people=[PERSON_AT_ZOOM],
    effects=[Effect(1, TARO, "add"), Effect(1, TARO, "join")],
    asked=[MAIL],
    copies=[COPY],
)


def answer_with(text, *, receipt=RECEIPT):
    return replace(WHOLE, answers=[Answer(TARO, receipt, text)])


def mail_with(**changes):
    return replace(WHOLE, copies=[COPY, replace(COPY, message_id="2", **changes)])


def row_with(**changes):
    return replace(WHOLE, rows=[replace(ROW, **changes)])


VIOLATIONS = {
    "a promise without a row": (
        replace(WHOLE, answers=[*WHOLE.answers, Answer(HANAKO, "/s/hanako", "")]),
        [f"{HANAKO} was promised a place, and there is no row of it"],
    ),
    "a promise to somebody known that was not kept": (
        answer_with("", receipt="/s/another"),
        [f"{TARO} was promised a place, and there is no row of it"],
    ),
    "two rows": (replace(WHOLE, rows=[ROW, ROW]), [f"{TARO} has 2 rows"]),
    "nobody at Zoom": (
        replace(WHOLE, people=[], effects=[]),
        [f"{TARO} is approved, and Zoom does not let them in"],
    ),
    "waiting at Zoom": (
        replace(WHOLE, people=[replace(PERSON_AT_ZOOM, status="pending")]),
        [f"{TARO} is approved, and Zoom does not let them in"],
    ),
    "at another meeting": (
        replace(WHOLE, people=[replace(PERSON_AT_ZOOM, meeting_id=2)]),
        [
            f"{TARO} is approved, and Zoom does not let them in",
            f"{TARO} is let in by Zoom, and not approved here",
        ],
    ),
    "let in though cancelled": (
        row_with(status="cancelled", delivery="withdrawn"),
        [f"{TARO} is let in by Zoom, and not approved here"],
    ),
    "somebody at Zoom of whom nothing is known": (
        replace(WHOLE, people=[PERSON_AT_ZOOM, replace(PERSON_AT_ZOOM, email=HANAKO)]),
        [f"{HANAKO} is let in by Zoom, and not approved here"],
    ),
    "no link": (row_with(zoom_link=None), [f"{TARO} is let in by Zoom, and has no link here"]),
    "another's link": (
        row_with(zoom_link=f"{ZOOM}anothers"),
        [f"{TARO} has a link here that is not theirs at Zoom"],
    ),
    "added twice": (
        replace(WHOLE, effects=[Effect(1, TARO, "add"), Effect(1, TARO, "repeat")]),
        [f"{TARO} was added to Zoom 2 times"],
    ),
    "two people at Zoom": (
        replace(WHOLE, people=[PERSON_AT_ZOOM, PERSON_AT_ZOOM]),
        [f"{TARO} is 2 people at Zoom"],
    ),
    "no mail": (replace(WHOLE, copies=[]), [f"{TARO} has got no mail"]),
    "a mail that nobody asked for": (
        mail_with(),
        [f"{TARO} has got a mail that nobody asked for"],
    ),
    "a mail to somebody else": (
        replace(WHOLE, copies=[COPY, replace(COPY, to=HANAKO, text="")]),
        [
            f"{HANAKO} has got a mail that was for {TARO}",
            f"{TARO} has got a mail twice, though it was known that it had arrived",
        ],
    ),
    "a mail with another's link": (
        replace(WHOLE, copies=[replace(COPY, text=f"{LINK}{OTHERS}")]),
        [f"{TARO} has got a mail with a link that is not theirs"],
    ),
    "a mail with Zoom's link": (
        replace(WHOLE, copies=[replace(COPY, text=f"{ZOOM}secret")]),
        [f"{TARO} has got a mail with a link of Zoom's own"],
    ),
    "a mail twice": (
        replace(WHOLE, copies=[COPY, COPY], in_doubt={"2"}),
        [f"{TARO} has got a mail twice, though it was known that it had arrived"],
    ),
    "a mail three times": (
        replace(WHOLE, copies=[COPY, COPY, COPY], in_doubt={"1"}),
        [f"{TARO} has got a mail 3 times"],
    ),
    "two confirmations": (
        replace(
            WHOLE,
            asked=[MAIL, replace(MAIL, message_id="2")],
            copies=[COPY, replace(COPY, message_id="2")],
        ),
        [f"{TARO} was told 2 times that they are registered"],
    ),
    "Zoom's link on a screen": (
        answer_with(f'<a href="{ZOOM}secret">'),
        [f"{TARO} was shown a link of Zoom's own"],
    ),
    "the mail's link on a screen": (
        answer_with(f"{LINK}{MAILED}"),
        [f"{TARO} was shown a link that is not for their screen"],
    ),
    "a link in an answer that promises nothing": (
        answer_with(f"{LINK}{SCREEN}", receipt=None),
        [f"{TARO} was shown a link that is not for their screen"],
    ),
    "work that nobody did": (
        replace(WHOLE, stuck=["the job zoom:1 is parked: because"]),
        ["the job zoom:1 is parked: because"],
    ),
    "a delivery that waits": (
        row_with(delivery="waiting"),
        [f"{TARO} is approved, and their delivery is still waiting"],
    ),
    "a mail that waits": (
        replace(WHOLE, asked=[replace(MAIL, state="unknown")]),
        [f"the mail confirmation to {TARO} is still unknown"],
    ),
}


def test_journals_of_a_quiet_day_agree():
    check(WHOLE)


@pytest.mark.parametrize(("journals", "faults"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_violation_is_told_in_words(journals, faults):
    assert find_faults(journals) == faults


def test_mail_that_arrived_in_doubt_may_come_twice():
    journals = replace(WHOLE, copies=[COPY, COPY], in_doubt={"1"})
    check(journals)
    assert (count_doubled_mails(journals), count_doubled_mails(WHOLE)) == (1, 0)


def test_check_shows_all_that_is_wrong():
    with pytest.raises(AssertionError, match=r"(?s)has got no mail.*was shown a link"):
        check(replace(answer_with(f"{LINK}{MAILED}"), copies=[]))


def gather_from(site, crowd):
    copies = [read_copy(mail) for mail in site.mailbox.list_mails()]
    return gather(
        site.database,
        site.zoom,
        site.parts.links,
        answers=crowd.answers,
        copies=copies,
        now=site.clock(),
    )


@only_sqlite
@pytest.mark.parametrize("policy", ["show", "code", "mail"])
def test_journals_of_a_real_site_agree(site, policy):
    site.add_event(slug="spring", link_policy=policy)
    crowd = Crowd(site.url)
    crowd.register(PERSON)
    crowd.register(PERSON | {"email": HANAKO})
    site.drain()
    if policy == "show":
        crowd.look_again()
        assert "/j/" in crowd.answers[-1].text

    journals = gather_from(site, crowd)
    assert [len(part) for part in (journals.rows, journals.people, journals.copies)] == [2, 2, 2]
    check(journals)


@only_sqlite
def test_journals_of_a_site_that_was_not_drained_do_not_agree(site):
    site.add_event(slug="spring")
    crowd = Crowd(site.url)
    crowd.register(PERSON)

    faults = find_faults(gather_from(site, crowd))

    assert f"{TARO} is approved, and Zoom does not let them in" in faults
    assert "the job zoom:1 is ready: nobody did it" in faults
