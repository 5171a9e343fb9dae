"""``ape-jupyter migrate``."""

from __future__ import annotations

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.terminal import printable

__all__ = ["migrate"]


@click.command(
    cls=ApeCommand,
    examples=[
        "ape-jupyter migrate --dry-run",
        "ape-jupyter migrate",
        "ape-jupyter migrate --restore registry-0001-version-1-20260626-154207.db",
    ],
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and list backups.")
@click.option("--to", type=int, metavar="VERSION", help="Stop at this version.")
@click.option("--restore", metavar="BACKUP", help="Go back to this backup instead.")
@click.option(
    "--no-backup",
    is_flag=True,
    help="Make none of a PostgreSQL database, which has backups of its own.",
)
@click.option(
    "--library",
    metavar="PATH",
    envvar="APE_JUPYTER_LIBRARY",
    show_envvar=True,
    help="The library: a directory, or postgresql://HOST/DATABASE?library=DIRECTORY.",
)
def migrate(
    dry_run: bool, to: int | None, restore: str | None, no_backup: bool, library: str | None
) -> None:
    """Bring the database of a library to the version of this ape-jupyter.

    Opening a library does so by itself; a backup is made before. Restoring one also makes a
    backup of what is there.
    """
    from ape_jupyter.library.location import default_target
    from ape_jupyter.library.upgrading import database_state, restore_database, upgrade_database

    place = library or default_target()
    if restore is not None and not dry_run:
        kept = restore_database(place, restore)
        click.echo(f"The database is that of {printable(restore)} again.")
        if kept:
            click.echo(f"What was there before is kept as {kept.name}.")
        return
    before = database_state(place)
    target = before.newest_version if to is None else to
    state = database_state(place, target)
    click.echo(f"The database has version {state.version}; the newest is {state.newest_version}.")
    for step in state.steps:
        click.echo(f"{'Would' if dry_run else 'Will'} {step}.")
    if dry_run:
        for backup in state.backups:
            click.echo(f"Backup: {backup.name}")
    elif state.steps:
        upgrade_database(place, target, backup=not no_backup)
        click.echo(f"The database has version {target} now.")
    else:
        click.echo("There is nothing to do.")
