"""Finding runs in a shell."""

from __future__ import annotations

from click.testing import CliRunner

from ape_jupyter.cli.main import main
from ape_jupyter.library.local import LocalLibrary


def run(library: LocalLibrary, *arguments: str, **environment: str) -> str:
    result = CliRunner().invoke(
        main,
        [*arguments],
        prog_name="ape-jupyter",
        env={"APE_JUPYTER_LIBRARY": library.location, **environment},
    )
    return f"{result.exit_code} {result.output}"


def test_counts_beside_what_is_found(filled_library: LocalLibrary) -> None:
    said = run(filled_library, "list", "--facet", "engine", "--facet", "size")
    assert "engine" in said
    assert "abs" in said
    assert "below 100" in said


def test_a_misspelt_word_says_what_is_shown(filled_library: LocalLibrary) -> None:
    filled_library.update_metadata("calm-river", notes="Saturday clinics")
    said = run(filled_library, "list", "saturdey")
    assert "showing saturday" in said
    assert "calm-river" in said


def test_an_error_points_at_its_place(filled_library: LocalLibrary) -> None:
    said = run(filled_library, "list", "flat n_pateints>3")
    assert said.startswith("2 flat n_pateints>3\n     ^\n")
    assert "n_patients" in said


def test_the_tab_key_goes_on_with_a_search(filled_library: LocalLibrary) -> None:
    filled_library.add_tag("calm-river", "nhs/site")
    said = run(
        filled_library,
        _APE_JUPYTER_COMPLETE="bash_complete",
        COMP_WORDS="ape-jupyter list tag:nh",
        COMP_CWORD="2",
    )
    assert "tag:nhs/site" in said
