"""Let companies' own providers sign people in, and let the first owner add organizations"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

fits_code_of = '0014'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'identity_provider',
        sa.Column('id', KEY, nullable=False),
        sa.Column('organization_id', KEY, nullable=False),
        sa.Column('issuer', sa.String(length=255), nullable=False),
        sa.Column('client_id', sa.String(length=255), nullable=False),
        sa.Column('client_secret', sa.LargeBinary(), nullable=False),
        sa.Column('joins_as', sa.String(length=10), nullable=False),
        sa.Column('allows_passwords', sa.Boolean(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['organization_id'],
            ['organization.id'],
            name=op.f('fk_identity_provider_organization_id_organization'),
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_identity_provider')),
        sa.UniqueConstraint(
            'organization_id', name=op.f('uq_identity_provider_organization_id')
        ),
    )
    op.create_table(
        'identity_domain',
        sa.Column('domain', sa.String(length=253), nullable=False),
        sa.Column('provider_id', KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ['provider_id'],
            ['identity_provider.id'],
            name=op.f('fk_identity_domain_provider_id_identity_provider'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('domain', name=op.f('pk_identity_domain')),
    )
    op.create_index('ix_identity_domain_provider_id', 'identity_domain', ['provider_id'])
    op.create_table(
        'company_identity',
        sa.Column('id', KEY, nullable=False),
        sa.Column('organization_id', KEY, nullable=False),
        sa.Column('organizer_id', KEY, nullable=False),
        sa.Column('issuer', sa.String(length=255), nullable=False),
        sa.Column('subject', sa.String(length=255), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ['organization_id'],
            ['organization.id'],
            name=op.f('fk_company_identity_organization_id_organization'),
        ),
        sa.ForeignKeyConstraint(
            ['organizer_id'],
            ['organizer.id'],
            name=op.f('fk_company_identity_organizer_id_organizer'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_company_identity')),
        sa.UniqueConstraint(
            'organization_id',
            'issuer',
            'subject',
            name=op.f('uq_company_identity_organization_id_issuer_subject'),
        ),
    )
    op.create_index('ix_company_identity_organizer_id', 'company_identity', ['organizer_id'])
    op.add_column(
        'organizer',
        sa.Column('may_add_organizations', sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    with op.batch_alter_table('organizer_session') as table:
        table.add_column(sa.Column('confined_to', KEY, nullable=True))
        table.create_foreign_key(
            op.f('fk_organizer_session_confined_to_organization'),
            'organization',
            ['confined_to'],
            ['id'],
        )
    # Whoever set the installation up.
    op.execute(
        "UPDATE organizer SET may_add_organizations = TRUE WHERE id ="
        " (SELECT organizer_id FROM membership WHERE role = 'owner' ORDER BY id LIMIT 1)"
    )


def downgrade() -> None:
    with op.batch_alter_table('organizer_session') as table:
        table.drop_constraint(
            op.f('fk_organizer_session_confined_to_organization'), type_='foreignkey'
        )
        table.drop_column('confined_to')
    op.drop_column('organizer', 'may_add_organizations')
    op.drop_table('company_identity')
    op.drop_table('identity_domain')
    op.drop_table('identity_provider')
