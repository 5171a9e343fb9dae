"""Noticing that another process brought an open database to another version."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from ape_jupyter.errors import SchemaTooNewError
from ape_jupyter.registry.schema import DATABASE_VERSION

__all__ = ["Guard", "changed_meanwhile", "version_guard"]

Guard = Callable[[sa.Connection], None]


def version_guard(place: str) -> Guard:
    """Return what refuses to write in the form of this version once the database has another."""

    def guard(connection: sa.Connection) -> None:
        found = connection.exec_driver_sql("SELECT database_version FROM library_state")
        if found.scalar_one() != DATABASE_VERSION:
            raise SchemaTooNewError(changed_meanwhile(place))

    return guard


def changed_meanwhile(place: str) -> str:
    """Return the message for who has a database open that is of another version by now."""
    return (
        f"{place} was brought to another version by another process while it was open here; "
        "nothing was changed. Restart this kernel or server, with the ape-jupyter that the other "
        "one has."
    )
