"""The tables. A deleted entry stays as a row, and an overwritten value as a version: nothing is lost unseen."""

import sqlalchemy as sa

metadata = sa.MetaData()
entries = sa.Table(
    "memory_entries", metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("scope", sa.String(128), nullable=False),
    sa.Column("run", sa.String(128), nullable=False),
    sa.Column("namespace", sa.String(255), nullable=False),
    sa.Column("key", sa.String(1024), nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("provenance", sa.String(32), nullable=False),
    sa.Column("author", sa.String(128), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float),
    sa.Column("accessed", sa.Integer, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("encoder", sa.String(64), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.UniqueConstraint("scope", "key", "namespace", "run"),
    sa.Index("memory_entries_changed", "scope", "changed"),
    sa.Index("memory_entries_encoder", "scope", "encoder"),
    sa.Index("memory_entries_expires", "expires_at"),
    sqlite_autoincrement=True,
)  # fmt: skip
"""`changed` grows with every change within a scope, in the order of commits: caches ask for what is above theirs.
`encoder` made the vector; empty where there is none yet. `value` is last: the rest is read without it."""

versions = sa.Table(
    "memory_versions", metadata,
    sa.Column("entry_id", sa.ForeignKey(entries.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("provenance", sa.String(32), nullable=False),
    sa.Column("author", sa.String(128), nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
)  # fmt: skip
codes = sa.Table(
    "memory_codes", metadata,
    sa.Column("entry_id", sa.ForeignKey(entries.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("code", sa.LargeBinary, nullable=False),
)  # fmt: skip
"""One bit a dimension: small enough that all of them are read at once. The vectors are not."""
vectors = sa.Table(
    "memory_vectors", metadata,
    sa.Column("entry_id", sa.ForeignKey(entries.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),
)  # fmt: skip
changes = sa.Table(
    "memory_changes", metadata,
    sa.Column("scope", sa.String(128), primary_key=True),
    sa.Column("changed", sa.BigInteger, nullable=False),
)  # fmt: skip
"""The latest `changed` of each scope: it must not fall back when the entry that had it is swept away."""
schema = sa.Table("memory_schema", metadata, sa.Column("version", sa.Integer, primary_key=True))
