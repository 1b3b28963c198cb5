from dataclasses import replace

import pytest

from zoom_client import MeetingDraft, MeetingPatch, NewRegistrant, ValidationFailed
from zoom_client.limits import check_meeting, check_registrant

TARO = NewRegistrant("taro@example.com", "太郎", "山田")


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "a" * 116 + "@example.com"},
        {"first_name": "太" * 64},
        {"last_name": "𠮷" * 64},
        {"last_name": ""},
        {"country": "JP"},
        {"language": "jp-JP"},
        {"language": "Tr-TR"},
        {"no_of_employees": "500-1,000"},
        {"purchasing_time_frame": "No timeframe"},
        {"role_in_purchase_process": "Evaluator/Recommender"},
        {"custom_questions": {"q" * 500: "a" * 128}},
        {"comments": "a" * 5000},
    ],
)
def test_value_within_zooms_limits_passes(changes):
    check_registrant(replace(TARO, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "a" * 117 + "@example.com"},
        {"email": " "},
        {"first_name": "太" * 65},
        {"first_name": ""},
        {"last_name": "太" * 65},
        {"country": "Japan"},
        {"country": "日本"},
        {"language": "ja-JP"},
        {"no_of_employees": "101-250"},
        {"purchasing_time_frame": "soon"},
        {"role_in_purchase_process": "boss"},
        {"custom_questions": {"q": "a" * 129}},
    ],
)
def test_value_beyond_zooms_limits_names_its_field(changes):
    with pytest.raises(ValidationFailed) as raised:
        check_registrant(replace(TARO, **changes))

    assert [error.field for error in raised.value.fields] == list(changes)
    assert raised.value.status is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"topic": "x" * 201}, "topic"),
        ({"agenda": "x" * 2001}, "agenda"),
        ({"password": "x" * 11}, "password"),
        ({"duration_minutes": 0}, "duration"),
        ({"duration_minutes": 1441}, "duration"),
    ],
)
def test_meeting_beyond_zooms_limits_names_its_field(changes, field):
    with pytest.raises(ValidationFailed) as raised:
        check_meeting(MeetingPatch(**changes))

    assert [error.field for error in raised.value.fields] == [field]


def test_longest_meeting_passes():
    check_meeting(
        MeetingDraft(topic="x" * 200, agenda="x" * 2000, password="x" * 10, duration_minutes=1440)
    )
