"""What a row of a table of people says, for the worker that registers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from forms.people import read_person
from services.people_imports import ReadRow, read_columns
from services.questions import FormDefinition
from services.submissions import Submission
from storage.models import PeopleImport


def make_row_reader(app_context: Callable[[], AbstractContextManager[object]]) -> ReadRow:
    """Return what makes a submission of a row; its words are those of the app's catalogue."""

    def read_row(
        definition: FormDefinition, table: PeopleImport, cells: Sequence[str]
    ) -> Submission:
        with app_context():
            return read_person(
                definition,
                read_columns(table),
                cells,
                basis=table.basis,
                locale=table.locale,
                words_locale=table.words_locale,
            )

    return read_row
