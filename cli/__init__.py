"""Commands of the installation: `flask --help` lists them."""

from __future__ import annotations

from flask import Flask

from .accepting import accept_secret_command
from .audit import audit_group
from .backups import backup_command, restore_command
from .check import check_command, migrate_command
from .demo_events import demo_events_command
from .events import events_group
from .jobs import jobs_group
from .keys import keys_group
from .mails import mails_group
from .organizations import organizations_group
from .organizers import organizers_group
from .reconciling import reconcile_command
from .registrations import registrations_group
from .rehearsals import go_live_command
from .sealing import reseal_command
from .serve import demo_command, serve_command, web_command, worker_command
from .status import status_command

_COMMANDS = (
    *(demo_command, serve_command, web_command, worker_command, demo_events_command),
    *(check_command, migrate_command, accept_secret_command, reseal_command),
    *(backup_command, restore_command, go_live_command),
    *(events_group, registrations_group, jobs_group, mails_group, status_command),
    *(organizers_group, organizations_group, keys_group, audit_group),
)


def init_cli(app: Flask) -> None:
    events_group.add_command(reconcile_command)
    for command in _COMMANDS:
        app.cli.add_command(command)
