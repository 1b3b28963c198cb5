"""What a field with Markdown refuses."""

from __future__ import annotations

import wtforms
from flask_babel import gettext as _
from wtforms.validators import StopValidation

from services.markdown import MOST_CELLS, MOST_COLUMNS, are_tables_small

from .fields import RowField


def check_tables(form: wtforms.Form, field: RowField) -> None:
    """Refuse Markdown whose tables would be drawn as the lines that were typed."""
    if not are_tables_small(field.data):
        raise StopValidation(say_large_tables(field.row.error_label))


def say_large_tables(label: str) -> str:
    return _(
        "The tables in %(label)s are too large: %(columns)s columns and, all together, %(cells)s"
        " cells at most",
        label=label,
        columns=MOST_COLUMNS,
        cells=MOST_CELLS,
    )
