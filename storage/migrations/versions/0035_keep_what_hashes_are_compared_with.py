"""Keep what hashes of a former secret are compared with"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column('known_secret', sa.Column('hash_keys', sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column('known_secret', 'hash_keys')
