import pytest

from zoom_client import NewRegistrant, RegistrantRef, quote_uuid
from zoom_client.bodies import quote_segment


@pytest.mark.parametrize(
    ("uuid", "expected"),
    [
        ("aDYlohsHRtCd4ii1uC2+hA==", "aDYlohsHRtCd4ii1uC2%2BhA%3D%3D"),
        ("a/b==", "a%2Fb%3D%3D"),
        ("/ab==", "%252Fab%253D%253D"),
        ("a//b==", "a%252F%252Fb%253D%253D"),
    ],
)
def test_uuid_is_encoded_once_or_twice(uuid, expected):
    assert quote_uuid(uuid) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host@example.com", "host%40example.com"),
        ("../1?x=1#y", "..%2F1%3Fx%3D1%23y"),
        ("山田", "%E5%B1%B1%E7%94%B0"),
    ],
)
def test_segment_cannot_leave_its_place(text, expected):
    assert quote_segment(text) == expected


def test_people_stay_out_of_every_repr():
    person = NewRegistrant("taro@example.com", "Taro", "Yamada", phone="0312345678")
    texts = f"{person!r} {RegistrantRef('r1', 'taro@example.com')!r}"

    assert not any(word in texts for word in ("taro", "Taro", "Yamada", "0312345678"))
