"""Keep versions of an organization's privacy notice"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

fits_code_of = '0011'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'notice_version',
        sa.Column('id', KEY, nullable=False),
        sa.Column('organization_id', KEY, nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('document', sa.JSON(), nullable=False),
        sa.Column('is_standard', sa.Boolean(), nullable=False),
        sa.Column('author', sa.String(length=22), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['organization_id'],
            ['organization.id'],
            name=op.f('fk_notice_version_organization_id_organization'),
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_notice_version')),
        sa.UniqueConstraint(
            'organization_id', 'number', name=op.f('uq_notice_version_organization_id_number')
        ),
    )


def downgrade() -> None:
    op.drop_table('notice_version')
