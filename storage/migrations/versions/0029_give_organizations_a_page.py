"""Give organizations a page of their coming events"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column('organization', sa.Column('slug', sa.String(length=60), nullable=True))
    op.create_index('ix_organization_slug', 'organization', ['slug'], unique=True)
    op.create_table(
        'former_slug',
        sa.Column('slug', sa.String(length=60), nullable=False),
        sa.Column(
            'organization_id',
            sa.BigInteger().with_variant(sa.Integer(), 'sqlite'),
            nullable=False,
        ),
        sa.Column('left_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['organization_id'],
            ['organization.id'],
            name='fk_former_slug_organization_id_organization',
        ),
        sa.PrimaryKeyConstraint('slug', name='pk_former_slug'),
    )
    op.create_index('ix_former_slug_organization_id', 'former_slug', ['organization_id'])


def downgrade() -> None:
    op.drop_table('former_slug')
    op.drop_index('ix_organization_slug', 'organization')
    op.drop_column('organization', 'slug')
