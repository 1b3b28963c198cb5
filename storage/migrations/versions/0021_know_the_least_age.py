"""Know from which age people may register"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column('event', sa.Column('least_age', sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column('event', 'least_age')
