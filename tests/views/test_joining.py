import pytest

from tests.live_site import LiveSite
from views.joining import is_zoom_address


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://zoom.us/w/1?tk=a", True),
        ("https://us02web.zoom.us/w/1?tk=a", True),
        ("https://agency.zoomgov.com/w/1", True),
        ("http://us02web.zoom.us/w/1", False),
        ("https://zoom.us.example.com/w/1", False),
        ("https://notzoom.us/w/1", False),
        ("https://zoom.us@example.com/w/1", False),
        ("https://[zoom.us/w/1", False),
        ("javascript:alert(1)", False),
    ],
)
def test_button_leads_to_zoom_alone(start_site, address: str, expected: bool):
    site: LiveSite = start_site(zoom_api_url="https://api.zoom.us/v2")

    with site.app.app_context():
        assert is_zoom_address(address) is expected
