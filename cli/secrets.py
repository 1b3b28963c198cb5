"""The secret of the installation: one that is not the database's ends the command."""

from __future__ import annotations

from collections import Counter

import click

from config import Settings
from services.known_secrets import SecretUnknown, list_new_secrets, take_hash_keys
from storage import known_secrets
from storage.secret_keys import FILE_NAME
from views.site import Site
from worker.sealing import count_sealed


def keep_secrets(site: Site) -> None:
    """Have the database know our secrets, or end the command where it was made with another one.

    Side effects: a new secret beside a known one is added, as a rotation brings it.
    """
    with site.database.read() as session:
        try:
            new = list_new_secrets(session, site.keys)
            take_hash_keys(session, site.keys)
        except SecretUnknown as error:
            raise click.ClickException(explain(site.settings, error)) from error
    if new:
        with site.database.write() as session:
            known_secrets.add_known_secrets(session, new, now=site.read_clock())


def explain(settings: Settings, error: SecretUnknown) -> str:
    """Say in one line which secret does not fit and what to do."""
    if settings.secret_key:
        place = "The secret in UKETSUKE_SECRET_KEY"
        remedy = "put the former one behind it, with a comma"
    else:
        place = f"The secret in {settings.instance / FILE_NAME}"
        remedy = "put the file of this database back, or its secret on a second line"
    return (
        f"{place} does not belong to this database ({error}): {remedy}. Nothing was changed."
        " If the old one is lost for good: flask accept-secret."
    )


def describe_sealed(site: Site) -> str:
    """Say in one line what is not sealed with the newest secret, and what to do; or nothing."""
    older, lost = Counter[str](), Counter[str]()
    for batch in count_sealed(site.database, site.keys):
        older[batch.what] += batch.older
        lost[batch.what] += batch.lost
    words = []
    if some := _list_counts(older):
        words.append(
            f"only an older secret opens {some}: leave none out before the workers have sealed "
            "them anew, as flask reseal does at once"
        )
    if some := _list_counts(lost):
        words.append(
            f"no secret that is set opens {some}: put theirs behind the others, with a comma, or "
            "have them given anew"
        )
    return "; ".join(words)


def _list_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
