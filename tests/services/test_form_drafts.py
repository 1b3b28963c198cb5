"""The working copy of a form: kept beside the form of now until it is published."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.event_content import duplicate_event
from services.event_editing import ChangedMeanwhile, FormInEditing, change_organization, save_event
from services.event_files import describe_event
from services.events import read_current_form
from services.form_drafts import (
    discard_edits,
    edit_form,
    keep_edits,
    list_former_questions,
    read_coming_form,
    read_edited_form,
    undo_edit,
)
from services.form_templates import Template, make_template
from services.organizations import make_operator
from services.questions import QuestionKind
from storage import events, organizations
from tests import factories
from tests.factories import COMPANY, NOW, PRIVACY

SHORT = (PRIVACY,)
AUTHOR = "a" * 22


@pytest.fixture
def event(session):
    return factories.make_event(session)


def edit(session, event, questions):
    edit_form(session, event, questions, author=AUTHOR, now=NOW)


def test_edits_are_beside_the_form_until_they_are_kept(session, event):
    edit(session, event, SHORT)
    assert read_current_form(session, event).questions == (COMPANY, PRIVACY)
    edited = read_edited_form(session, event)
    assert (edited.questions, edited.has_changes, edited.can_undo) == (SHORT, True, True)

    assert keep_edits(session, event, SHORT, author="", now=NOW)

    assert read_current_form(session, event).questions == SHORT
    assert not read_edited_form(session, event).has_changes
    [newest, first] = events.list_form_versions(session, event.id)
    assert (newest.number, newest.author, first.author) == (2, AUTHOR, "")


def test_what_was_changed_meanwhile_is_not_kept(session, event):
    edit(session, event, SHORT)

    with pytest.raises(ChangedMeanwhile):
        keep_edits(session, event, (COMPANY, PRIVACY), author="", now=NOW)


def test_question_of_several_versions_is_what_the_newest_says(session, event):
    longer = replace(COMPANY, kind=QuestionKind.TEXTAREA)
    for questions in (SHORT, (longer, PRIVACY), SHORT):
        edit(session, event, questions)
        keep_edits(session, event, questions, author="", now=NOW)

    assert list_former_questions(session, event) == [PRIVACY, longer]


def test_one_change_is_undone_once(session, event):
    renamed = replace(COMPANY, label={"ja": "勤務先"})
    edit(session, event, (renamed, PRIVACY))
    edit(session, event, SHORT)
    undo_edit(session, event, author=AUTHOR, now=NOW)

    assert read_edited_form(session, event).questions == (renamed, PRIVACY)
    with pytest.raises(ChangedMeanwhile):
        undo_edit(session, event, author=AUTHOR, now=NOW)
    discard_edits(session, event, author=AUTHOR, now=NOW)
    edited = read_edited_form(session, event)
    assert (edited.questions, edited.has_changes) == ((COMPANY, PRIVACY), False)
    undo_edit(session, event, author=AUTHOR, now=NOW)
    assert read_edited_form(session, event).questions == (renamed, PRIVACY)


@pytest.mark.parametrize(
    ("status", "coming"), [("draft", SHORT), ("published", (COMPANY, PRIVACY))]
)
def test_event_is_published_with_what_was_edited_only_the_first_time(
    session, event, status, coming
):
    event.status = status
    edit(session, event, SHORT)

    assert read_coming_form(session, event) == coming


def test_edited_form_is_copied_with_its_event(session, event):
    edit(session, event, SHORT)
    connection = organizations.need_connection(session, event.connection_id)
    draft = replace(
        describe_event(session, event), slug="copy", zoom_id=1, starts_at=NOW + timedelta(days=9)
    )
    copy = duplicate_event(session, event, draft, connection, now=NOW)

    assert [question.id for question in read_current_form(session, copy).questions] == ["privacy"]


def test_operator_is_renamed_in_what_is_edited_too(session, event):
    organization = organizations.need_organization(session, event.organization_id)
    edit(session, event, make_template(Template.SEMINAR, "ja", make_operator(organization)))
    change_organization(session, organization, {"legal_name": "新しい会"}, now=NOW)
    edited = read_edited_form(session, event)

    [news] = [question for question in edited.questions if question.id == "marketing"]
    assert "新しい会" in news.label["ja"]
    undo_edit(session, event, author=AUTHOR, now=NOW)
    assert read_edited_form(session, event).questions == (COMPANY, PRIVACY)


def test_another_form_does_not_pass_over_what_is_edited(session, event):
    edit(session, event, SHORT)
    connection = organizations.need_connection(session, event.connection_id)
    document = describe_event(session, event)
    save_event(session, document, pictures={}, connection=connection, now=NOW)

    with pytest.raises(FormInEditing):
        save_event(
            session,
            replace(document, questions=(COMPANY, replace(COMPANY, id="other"), PRIVACY)),
            pictures={},
            connection=connection,
            now=NOW,
        )
