"""The form that says where an organization's members sign in, and whom that lets in."""

from __future__ import annotations

import re

import wtforms
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField
from wtforms.validators import StopValidation

from services.identity_providers import read_domain

from .fields import Matches, RowField
from .organizer_fields import (
    OrganizerForm,
    build_choice,
    build_client_secret,
    build_form,
    build_line,
    build_text,
)

NOBODY = "nobody"
OPEN, OWNERS = "open", "owners"
MOST_DOMAINS = 20
_ID = r"[!-~]+"
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")

# Where anybody gets an address: who owns one of these proves nothing about a company.
_OF_EVERYBODY = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "outlook.jp", "hotmail.com"),
        *("hotmail.co.jp", "live.com", "live.jp", "msn.com", "icloud.com", "me.com", "mac.com"),
        *("yahoo.com", "yahoo.co.jp", "ymail.ne.jp", "aol.com", "gmx.com", "gmx.net", "gmx.de"),
        *("proton.me", "protonmail.com", "pm.me", "mail.com", "zoho.com", "naver.com", "qq.com"),
        *("163.com", "docomo.ne.jp", "ezweb.ne.jp", "au.com", "softbank.ne.jp"),
        *("i.softbank.jp", "nifty.com", "biglobe.ne.jp"),
    }
)


def build_provider_form(
    formdata: MultiDict[str, str] | None = None,
    *,
    roles: list[tuple[str, str]],
    is_stored: bool = False,
    **stored: str,
) -> OrganizerForm:
    """Ask for what the provider has given out; with a stored secret its field may stay empty."""
    return build_form(
        {
            "issuer": build_line(
                "issuer",
                _("Issuer"),
                longest=255,
                width="full",
                missing=_("Enter the issuer"),
                help=_(
                    "Google: https://accounts.google.com. Microsoft Entra ID:"
                    " https://login.microsoftonline.com/ and your tenant ID, then /v2.0. Keycloak:"
                    " https://, your host and /realms/ with the realm's name."
                ),
                autocomplete="off",
            ),
            "client_id": build_line(
                "client_id",
                _("Client ID"),
                longest=255,
                missing=_("Enter the client ID"),
                checks=(Matches(_ID, _say_id),),
                autocomplete="off",
            ),
            "client_secret": build_client_secret(is_stored=is_stored),
            **_build_policy(roles),
        },
        formdata,
        **stored,
    )


def read_domains(text: str) -> tuple[str, ...]:
    """Return the domains of a text as they are stored, each once."""
    words = re.split(r"[\s,、]+", text.strip())
    return tuple(dict.fromkeys(_to_ascii(word) for word in words if word))


def _build_policy(roles: list[tuple[str, str]]) -> dict[str, UnboundField]:
    joining = _("Joins with an address of these domains, as: %(role)s")
    return {
        "domains": build_text(
            "domains",
            _("Domains of your addresses"),
            longest=2_000,
            help=_(
                "One a line, like example.co.jp. Only their addresses get in, and whoever types one"
                " is led to your sign-in. Empty: any address that was invited."
            ),
            checks=(_check_domains,),
        ),
        "joins_as": build_choice(
            "joins_as",
            _("Who was not invited"),
            [
                (NOBODY, _("Does not get in")),
                *((role, joining % {"role": label}) for role, label in roles),
            ],
        ),
        "passwords": build_choice(
            "passwords",
            _("Passwords and passkeys of this site"),
            [
                (OPEN, _("All members may use them too")),
                (OWNERS, _("Only owners may, so that nobody locks everybody out")),
            ],
        ),
    }


def _check_domains(form: wtforms.Form, field: RowField) -> None:
    domains = read_domains(field.data)
    for domain in domains:
        if not _DOMAIN.fullmatch(domain):
            raise StopValidation(_("%(domain)s is no domain like example.co.jp", domain=domain))
        if domain in _OF_EVERYBODY:
            raise StopValidation(
                _("Anybody can have an address of %(domain)s: it is not your own", domain=domain)
            )
    if len(domains) > MOST_DOMAINS:
        raise StopValidation(_("Enter at most %(max)s domains", max=MOST_DOMAINS))


def _to_ascii(word: str) -> str:
    return read_domain(f"x@{word.lstrip('@')}")


def _say_id(label: str) -> str:
    return _("Copy %(label)s again: it has letters, digits and signs alone", label=label)
