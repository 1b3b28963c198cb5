"""What a new organization does from its first sign-in to its first published event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import notices, organizations

from .notices import list_operator_gaps
from .organizations import make_operator


class Step(StrEnum):
    ORGANIZATION = "organization"
    ZOOM = "zoom"
    NOTICE = "notice"
    EVENT = "event"
    PUBLISH = "publish"


_CAN_WAIT = {Step.NOTICE}
"""Events can be published with the notice that ships, so nobody has to write one first."""


@dataclass(frozen=True)
class FirstStep:
    """One of the steps; `is_next` marks the first that is neither done nor can wait."""

    step: Step
    is_done: bool
    is_next: bool = False
    can_wait: bool = False


def list_first_steps(
    session: Session, organization_id: int, *, has_account: bool, drafts: int
) -> list[FirstStep]:
    """List the steps of an organization that has published nothing yet, in their order.

    Args:
        has_account: whether the installation's settings name a Zoom account.
        drafts: how many events there are.
    """
    organization = organizations.need_organization(session, organization_id)
    connection = organizations.get_first_connection(session, organization_id)
    done = {
        Step.ORGANIZATION: not list_operator_gaps(make_operator(organization)),
        Step.ZOOM: connection is not None and (bool(connection.client_id) or has_account),
        Step.NOTICE: bool(notices.list_versions(session, organization_id)),
        Step.EVENT: drafts > 0,
        Step.PUBLISH: False,
    }
    first = next(step for step in Step if step not in _CAN_WAIT and not done[step])
    return [FirstStep(step, done[step], step is first, step in _CAN_WAIT) for step in Step]
