import pytest

from zoom_client import answer_challenge, sign, verify_signature

SECRET = "test-secret-token"
TIMESTAMP = "1626230691"
BODY = (
    b'{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},'
    b'"event_ts":1626230691572,"event":"endpoint.url_validation"}'
)
SIGNATURE = "v0=6113a8ee4896cccf81be3c5c769660fadd6562c8f9a480d3bad04c397d6ec78d"


def test_known_body_gets_known_signature():
    assert sign(SECRET, TIMESTAMP, BODY) == SIGNATURE


def test_genuine_message_is_accepted():
    assert verify_signature(SECRET, TIMESTAMP, BODY, SIGNATURE) is True


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "v0=",
        SIGNATURE.removeprefix("v0="),
        SIGNATURE.upper(),
        SIGNATURE.replace("v0", "v1"),
        SIGNATURE + SIGNATURE,
        SIGNATURE[:-1],
        SIGNATURE + ",",
        "v0=ｘ",
        "\udcff",
    ],
)
def test_other_signature_is_refused(signature):
    assert verify_signature(SECRET, TIMESTAMP, BODY, signature) is False


def test_changed_time_is_refused():
    assert verify_signature(SECRET, "1626230692", BODY, SIGNATURE) is False


def test_same_json_in_other_bytes_is_refused():
    assert verify_signature(SECRET, TIMESTAMP, BODY.replace(b":{", b": {"), SIGNATURE) is False


def test_empty_secret_accepts_nothing():
    assert verify_signature("", TIMESTAMP, BODY, sign("", TIMESTAMP, BODY)) is False


def test_body_that_is_no_text_can_be_signed():
    body = b"\xff\x00\xfe"
    assert verify_signature(SECRET, TIMESTAMP, body, sign(SECRET, TIMESTAMP, body)) is True


def test_challenge_is_answered_with_known_value():
    assert answer_challenge(SECRET, "qgg8vlvZRS6UYooatFL8Aw") == {
        "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
        "encryptedToken": "9c8ad56737c19db2904b301c0781e86857e999f39f07727668cf62a5e7e298c8",
    }


def test_challenge_signs_no_forged_message():
    forged = f"v0:{TIMESTAMP}:{BODY.decode()}"
    with pytest.raises(ValueError, match="plain token"):
        answer_challenge(SECRET, forged)


@pytest.mark.parametrize("token", ["", "a b", "a:b", "a\n", "ｘ", "x" * 129])
def test_challenge_of_another_shape_is_not_answered(token):
    with pytest.raises(ValueError):
        answer_challenge(SECRET, token)


@pytest.mark.parametrize(
    "timestamp", ["", "1626230691:x", "１６２６２３０６９１", "²", " 1626230691"]
)
def test_time_that_is_no_number_is_refused(timestamp):
    signature = sign(SECRET, timestamp, BODY)
    assert verify_signature(SECRET, timestamp, BODY, signature) is False
