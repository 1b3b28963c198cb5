"""What a pasted number or link names."""

import pytest

from services.event_drafts import Reference, read_reference
from zoom_client import Kind


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("812 3456 7890", Reference(81234567890)),
        ("812-3456-7890", Reference(81234567890)),
        ("https://us02web.zoom.us/j/81234567890?pwd=x", Reference(81234567890)),
        ("https://zoom.us/w/81234567890", Reference(81234567890, Kind.WEBINAR)),
        ("https://zoom.us/meeting/81234567890", Reference(81234567890, Kind.MEETING)),
        ("https://zoom.us/webinar/register/81234567890", Reference(81234567890, Kind.WEBINAR)),
        ("https://zoom.us/webinar/register/WN_abc", None),
        ("https://[zoom.us/j/81234567890]", None),
        ("来週の会", None),
        ("１２３", None),
        ("", None),
    ],
)
def test_reference_is_read(text, reference):
    assert read_reference(text) == reference
