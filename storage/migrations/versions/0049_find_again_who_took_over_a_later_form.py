"""Find again by their receipt number who took over what they sent again

An older version left the number out of the index as soon as a later form took the first one's place.
"""

from __future__ import annotations

from alembic import op


revision = '0049'
down_revision = '0048'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.execute(
        "INSERT INTO index_mark (registration_id) SELECT registration_id FROM submission"
        " WHERE outcome = 'superseded' AND registration_id IS NOT NULL"
    )


def downgrade() -> None:
    pass
