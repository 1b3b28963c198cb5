"""What all commands on stored things share: one clear line for every refusal, and plain tables."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from flask import current_app
from flask.cli import ScriptInfo
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from services.event_editing import EventChangeRefused
from services.moves import NothingAhead
from services.registrations import RegistrationError, RegistrationNotOpen
from services.reinstating import NothingKept
from services.tables import DocumentError
from services.zoom_setup import SetupRefused
from storage import events, migrate
from storage.models import Event
from views.site import Site, get_site
from zoom_client import ScopeMissing, ZoomError

from .secrets import keep_secrets


class AppCommand(click.Command):
    """A command of a site: a refusal is one line on stderr and exit code 1."""

    needs_database = False

    def invoke(self, context: click.Context) -> Any:
        if not current_app:
            app = context.ensure_object(ScriptInfo).load_app()
            context.with_resource(app.app_context())
        with _refusals_in_words():
            if self.needs_database:
                need_schema(get_site())
                keep_secrets(get_site())
            return super().invoke(context)


class SiteCommand(AppCommand):
    """A command on what the site has stored."""

    needs_database = True


class SiteGroup(click.Group):
    command_class = SiteCommand


def need_schema(site: Site) -> None:
    """End the command unless this version can work with the database's schema."""
    if misfit := migrate.describe_misfit(site.database):
        raise click.ClickException(misfit)


def need_event(session: Session, slug: str) -> Event:
    """Return the event, or end the command."""
    event = events.get_event_by_slug(session, slug)
    if event is None:
        raise click.ClickException(f"There is no event {slug!r}: flask event list shows them.")
    return event


def describe(error: SQLAlchemyError) -> str:
    """Say in one line what the database's driver said."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def describe_zoom(error: ZoomError) -> str:
    """Say in one line what Zoom has refused, with the scopes that are missing by name."""
    if isinstance(error, ScopeMissing):
        return f"The Zoom app lacks scopes: {', '.join(error.scopes) or error}"
    return f"Zoom: {error}"


def echo_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows in columns; a Japanese character takes two places.

    What people typed must not steer the terminal.
    """
    lines = [headings, *[[_make_printable(str(cell)) for cell in row] for row in rows]]
    widths = [max(map(_measure, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            cell + " " * (width - _measure(cell)) for cell, width in zip(line, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _make_printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _measure(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


@contextmanager
def _refusals_in_words() -> Iterator[None]:
    try:
        yield
    except (DocumentError, EventChangeRefused, SetupRefused) as error:
        raise click.ClickException(str(error)) from error
    except RegistrationNotOpen as error:
        raise click.ClickException(f"There is no place: the event is {error.state}.") from error
    except (NothingKept, NothingAhead) as error:
        raise click.ClickException(error.says) from error
    except RegistrationError as error:
        message = "The registration is not in a state that allows this."
        raise click.ClickException(message) from error
    except ZoomError as error:
        raise click.ClickException(describe_zoom(error)) from error
    except SQLAlchemyError as error:
        raise click.ClickException(f"The database cannot be used: {describe(error)}") from error
    except OSError as error:
        raise click.ClickException(str(error)) from error
