"""`flask audit`: whether anybody has changed the log of who did and saw what."""

from __future__ import annotations

import sys

import click

from services.audit import NO_ORGANIZATION, check_chain
from storage import audit, organizations
from views.site import get_site

from .groups import SiteGroup, echo_table


@click.group("audit", cls=SiteGroup)
def audit_group() -> None:
    """Check the log of who did and saw what."""


@audit_group.command("verify")
def verify_command() -> None:
    """Check the log of every organization; exit code 1 if an entry was changed or removed.

    Each entry carries a hash of itself and the entry before it. Whoever can write to the database
    could compute all of them anew: keep an export elsewhere, or the last hash, to compare with.
    """
    rows, is_broken = [], False
    with get_site().database.read() as session:
        names = {row.id: row.name for row, *_ in organizations.list_organizations(session)}
        for chain in audit.list_chains(session):
            count, broken = check_chain(session, chain)
            head = audit.get_head(session, chain)
            state = f"BROKEN at entry {broken.number}" if broken else "holds"
            name = "(no organization)" if chain == NO_ORGANIZATION else names.get(chain, "")
            rows.append((name or "(without a name)", count, state, head[1][:16] if head else ""))
            is_broken = is_broken or broken is not None
    echo_table(("ORGANIZATION", "ENTRIES THAT HOLD", "STATE", "LAST HASH"), rows)
    sys.exit(1 if is_broken else 0)
