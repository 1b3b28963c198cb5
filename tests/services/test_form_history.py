"""What all versions of a form have asked, read once."""

from sqlalchemy import event as listening

from services.form_history import PastQuestion, read_history
from services.questions import Choice, Question, QuestionKind, question_to_dict
from storage import events
from storage.models import FormVersion
from storage.session import Database
from tests import factories
from tests.factories import NOW


def make_question(name: str, label: str, *values: str) -> Question:
    choices = tuple(Choice(value, {"ja": f"{label} {value}"}) for value in values)
    return Question(name, QuestionKind.RADIO, {"ja": label}, choices=choices)


def test_newest_words_come_first_and_lost_choices_stay_known(database: Database):
    age, team = make_question("age", "年齢", "10", "20"), make_question("team", "チーム", "a")
    with database.write() as session:
        event = factories.make_event(session, questions=(team, age))
        event_id = event.id

    def publish(*questions: Question) -> None:
        with database.write() as session:
            event = events.need_event(session, event_id)
            rows = [question_to_dict(question) for question in questions]
            events.add_form_version(session, event, rows, now=NOW)

    def read() -> tuple[dict[str, PastQuestion], int]:
        read_rows = []
        listening.listen(FormVersion, "load", note := lambda row, _: read_rows.append(row))
        try:
            with database.read() as session:
                return read_history(session, events.need_event(session, event_id)), len(read_rows)
        finally:
            listening.remove(FormVersion, "load", note)

    newer, newest = make_question("age", "年代", "20", "30"), make_question("age", "年代", "40")
    publish(newer)
    history, read_versions = read()
    assert list(history) == ["age", "team"]
    assert history["age"] == PastQuestion(newer, (age.choices[0],))
    assert history["team"] == PastQuestion(team)
    assert read_versions == 2
    assert read() == (history, 0)

    publish(newest)
    history, _ = read()
    assert history["age"] == PastQuestion(newest, (*newer.choices, age.choices[0]))
    assert list(history) == ["age", "team"]
