"""Know which organizers have shown that their address is theirs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

fits_code_of = '0019'


def upgrade() -> None:
    op.add_column(
        'organizer',
        sa.Column('has_proven_address', sa.Boolean(), nullable=False, server_default=sa.true()),
    )


def downgrade() -> None:
    op.drop_column('organizer', 'has_proven_address')
