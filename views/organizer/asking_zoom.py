"""Asking Zoom while somebody waits at a page: few at once, not for long, and not in an outage.

The threads that serve the dashboard serve the registration pages too.
"""

from __future__ import annotations

from datetime import timedelta

from flask import g, request

from services.zoom_pauses import is_outage
from storage import zoom_pauses
from storage.models import ZoomConnection
from zoom_client import Deadline, ZoomClient

from ..site import get_site

PAGE_SECONDS = 10.0
# Publishing reads everybody whom Zoom has: of 3,000 people ten pages.
ACT_SECONDS = 30.0

# So late a probe has not been made by anybody: no worker runs, and nobody knows how Zoom fares.
OVERDUE = timedelta(minutes=1)


def ask_zoom(connection: ZoomConnection, *, always: bool = False) -> ZoomClient:
    """Return a client whose calls all together are bounded in time, for this request as a whole.

    Its calls raise ZoomUnreachable once the time is over, while others ask already, and while the
    account stands still because Zoom does not answer; `always` asks then too.
    """
    if "zoom_deadline" not in g:
        seconds = ACT_SECONDS if request.method == "POST" else PAGE_SECONDS
        g.zoom_deadline = Deadline(seconds if always or not _is_down(connection) else 0)
    return get_site().zoom.of_page(connection).within(g.zoom_deadline)


def _is_down(connection: ZoomConnection) -> bool:
    site = get_site()
    with site.database.read() as session:
        account = zoom_pauses.get_account(session, connection.account_id)
        if account is None or account.probe_at is None:
            return False
        return is_outage(account) and site.read_clock() < account.probe_at + OVERDUE
