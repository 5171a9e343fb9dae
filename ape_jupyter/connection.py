"""Choosing the form of library that a target needs."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

from ape_jupyter.client.discovery import find_own_server
from ape_jupyter.client.remote import RemoteLibrary
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.interface import Library
from ape_jupyter.library.location import default_target

__all__ = ["connect"]

TOKEN_FILE_VARIABLE = "APE_JUPYTER_TOKEN_FILE"  # noqa: S105 - names a file, holds no secret


def connect(target: str | PathLike[str] | None = None, *, token: str | None = None) -> Library:
    """Open a library of simulation runs.

    Parameters
    ----------
    target : str or path, optional
        A directory, the ``http(s)://`` URL of a Jupyter server with ape-jupyter, or
        ``postgresql://HOST/DATABASE?library=DIRECTORY`` for metadata in PostgreSQL and
        results in a directory. Without it: in a kernel of such a server, that server's
        library; else what the environment variable ``APE_JUPYTER_LIBRARY`` names; else
        ``ape-jupyter`` in Jupyter's data directory.
    token : str, optional
        For a URL: the server's token. Default: the content of the file that
        ``APE_JUPYTER_TOKEN_FILE`` names.

    Raises
    ------
    InvalidArgumentError
        If the target is none of these.
    ServerUnavailableError
        If the server does not answer, or has no ape-jupyter.

    Examples
    --------
    >>> import ape_jupyter as ape
    >>> lib = ape.connect("~/amd-library")  # doctest: +SKIP
    >>> lib.search("aflibercept")  # doctest: +SKIP
    """
    if target is None:
        server = find_own_server()
        if server is not None:
            return _answering(RemoteLibrary.of_kernel(server))
        target = default_target()
    text = os.fspath(target)
    if text.startswith(("http://", "https://")):
        return _answering(RemoteLibrary(text, token or _token_from_file()))
    # Kernels of a server never need what opens a directory: SQLAlchemy and more.
    from ape_jupyter.library.local import LocalLibrary

    return LocalLibrary.open(text)


def _answering(library: RemoteLibrary) -> RemoteLibrary:
    # A server that is gone, or of another version, should be an error here and not later in
    # the notebook, far from the line that chose it.
    library.health()
    return library


def _token_from_file() -> str | None:
    path = os.environ.get(TOKEN_FILE_VARIABLE)
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        message = f"{TOKEN_FILE_VARIABLE} names {path}, which can not be read: {error.strerror}."
        raise InvalidArgumentError(message) from error
