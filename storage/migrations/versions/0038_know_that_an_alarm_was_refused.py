"""Know when the mail server last refused to take an alarm"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column('alarm', sa.Column('refused_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('alarm', 'refused_at')
