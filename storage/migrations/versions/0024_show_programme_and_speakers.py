"""Show an event's programme, speakers and materials, and say whether it is listed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

fits_code_of = '0006'

_LISTS = ('speakers', 'programme', 'materials')


def upgrade() -> None:
    for name in _LISTS:
        op.add_column('event', sa.Column(name, sa.JSON(), server_default='[]', nullable=False))
    # Whoever had an event's address could find it by a search engine so far.
    op.add_column(
        'event', sa.Column('is_listed', sa.Boolean(), server_default=sa.true(), nullable=False)
    )


def downgrade() -> None:
    op.drop_column('event', 'is_listed')
    for name in _LISTS:
        op.drop_column('event', name)
