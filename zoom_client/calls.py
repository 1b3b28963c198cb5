"""One call to Zoom; what kept an answer from coming becomes an error of Zoom's."""

from collections.abc import Mapping

from outbound import Deadline, HttpAnswer, HttpPool, NoAnswer, NotSent
from zoom_client.errors import ZoomOutcomeUnknown, ZoomUnreachable


def call(
    pool: HttpPool,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    deadline: Deadline,
    params: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> HttpAnswer:
    """Return Zoom's answer, whatever its status.

    Raises ZoomUnreachable where nothing was sent, ZoomOutcomeUnknown where something was and no
    whole answer came in time.
    """
    named = {"User-Agent": "zoom_client", **headers}
    try:
        return pool.send(method, url, headers=named, deadline=deadline, params=params, body=body)
    except NotSent as error:
        raise ZoomUnreachable(f"No connection to Zoom: {error}") from None
    except NoAnswer as error:
        raise ZoomOutcomeUnknown(
            f"No whole answer from Zoom: {error}", may_have_happened=method != "GET"
        ) from None
