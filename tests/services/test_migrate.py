"""Metadata of every version comes to the library's own, whatever else stands in it."""

from __future__ import annotations

import copy
import json
import random
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ape_jupyter.errors import MigrationError
from ape_jupyter.model.migration import Migration, SchemaVersion
from ape_jupyter.services.migrate import service as service_module
from ape_jupyter.services.migrate.service import MigrationService, metadata_migrations
from ape_jupyter.services.migrate.steps import METADATA_STEPS, metadata_version

FIXTURES = Path(__file__).parent / "metadata"
VERSIONS = ("1.0.0", "1.5.0", "2.0.0")
CURRENT = SchemaVersion(2, 0, 0)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields_of_ape = ("sim_id", "memorable_name", "model_type", "tags", "seed", "access_count")
documents = st.dictionaries(st.sampled_from(fields_of_ape) | st.text(), values, max_size=8).filter(
    lambda document: "schema_version" not in document
)


def fixture(version: str) -> dict[str, Any]:
    return json.loads((FIXTURES / f"{version}.json").read_text())


@pytest.mark.parametrize("version", VERSIONS)
def test_the_version_shows_in_the_document(version: str) -> None:
    assert str(metadata_version(fixture(version))) == version


@pytest.mark.parametrize(("version", "n_steps"), [("1.0.0", 2), ("1.5.0", 1), ("2.0.0", 0)])
def test_every_version_comes_to_the_current_one(version: str, n_steps: int) -> None:
    document = fixture(version)
    migrated = MigrationService().migrate(document)
    assert len(migrated.steps) == n_steps
    assert migrated.original == document
    assert str(migrated.found) == version
    assert set(migrated.document) == set(fixture("2.0.0"))
    assert migrated.document["schema_version"] == "2.0.0"
    assert migrated.document["memorable_name"] == "old-oak"
    assert migrated.document["model_type"] == (None if version == "1.0.0" else "visit_based")
    assert migrated.document["tags"] == (["NHS"] if version == "2.0.0" else [])


def test_documents_of_real_runs(real_data: Path) -> None:
    service = MigrationService()
    found = sorted((real_data / "ape-results").glob("*/metadata.json"))
    assert len(found) == 18
    for path in found:
        document = json.loads(path.read_text())
        migrated = service.migrate(document)
        assert str(migrated.found) == "1.5.0"
        assert migrated.document.items() >= document.items()


def test_metadata_of_real_packages_keeps_its_name(real_data: Path) -> None:
    for path in (real_data / "ape-packages").glob("*.zip"):
        with zipfile.ZipFile(path) as package, package.open("data/metadata.parquet") as file:
            (document,) = pq.read_table(file).to_pylist()
        migrated = MigrationService().migrate(document)
        assert str(migrated.found) == "1.0.0"  # it does not say the model type
        assert migrated.document["memorable_name"] in path.stem
        assert migrated.document["model_type"] is None


@pytest.mark.parametrize("step", METADATA_STEPS, ids=lambda step: step.name)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(document=documents)
def test_a_step_is_pure_idempotent_and_keeps_what_it_does_not_know(
    step: Migration, document: dict[str, Any]
) -> None:
    before = copy.deepcopy(document)
    upgraded = step.upgrade(document)
    assert document == before
    again = copy.deepcopy(upgraded)
    assert step.upgrade(upgraded) == again
    unknown = {key: value for key, value in before.items() if key not in fields_of_ape}
    assert {key: upgraded[key] for key in unknown} == unknown


@given(document=documents)
def test_migrating_again_changes_nothing(document: dict[str, Any]) -> None:
    service = MigrationService()
    migrated = service.migrate(document)
    again = service.migrate(migrated.document)
    assert again.document == migrated.document
    assert again.steps == ()


@given(document=documents, order=st.randoms(use_true_random=False))
def test_the_order_of_registration_does_not_matter(
    document: dict[str, Any], order: random.Random
) -> None:
    shortcut = Migration(
        name="both at once",
        from_version=SchemaVersion(1, 0, 0),
        to_version=CURRENT,
        upgrade=lambda doc: METADATA_STEPS[1].upgrade(METADATA_STEPS[0].upgrade(doc)),
    )
    detour = Migration(
        name="back",
        from_version=CURRENT,
        to_version=SchemaVersion(1, 5, 0),
        upgrade=dict,
    )
    steps = [*METADATA_STEPS, shortcut, detour]
    order.shuffle(steps)
    by_any_chain = MigrationService(steps).migrate(document)
    assert by_any_chain.steps == MigrationService([*METADATA_STEPS, shortcut]).path(
        metadata_version(document)
    )
    assert by_any_chain.document == MigrationService().migrate(document).document


@given(
    edges=st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20),
    start=st.integers(0, 6),
)
def test_a_chain_is_found_exactly_when_there_is_one(
    edges: set[tuple[int, int]], start: int
) -> None:
    def version(number: int) -> SchemaVersion:
        return SchemaVersion(number, 0, 0)

    steps = [
        Migration(name=f"{a}-{b}", from_version=version(a), to_version=version(b), upgrade=dict)
        for a, b in edges
    ]
    service = MigrationService(steps, target=version(6))
    distance = {start: 0}
    for _ in edges:
        for a, b in edges:
            if a in distance:
                distance[b] = min(distance.get(b, 99), distance[a] + 1)
    if 6 not in distance:
        with pytest.raises(MigrationError):
            service.path(version(start))
        return
    chain = service.path(version(start))
    assert len(chain) == distance[6]
    ends = [version(start), *(step.to_version for step in chain)]
    assert [step.from_version for step in chain] == ends[:-1]
    assert ends[-1] == version(6)


def test_versions_sort_by_number() -> None:
    texts = ["1.10.0", "1.5.0", "2.0.0", "1.5.12"]
    ordered = sorted(map(SchemaVersion.parse, texts))
    assert list(map(str, ordered)) == ["1.5.0", "1.5.12", "1.10.0", "2.0.0"]


NO_VERSIONS = ["", "2", "2.0", "2.0.0.0", "a.b.c", "-1.0.0", "\uff12.0.0", 2, [], 2.0]


@pytest.mark.parametrize("text", NO_VERSIONS)
def test_what_is_no_version_is_said(text: object) -> None:
    with pytest.raises(MigrationError, match=r"expected one like '2\.0\.0'"):
        MigrationService().migrate({"schema_version": text})


@pytest.mark.parametrize(
    ("version", "advice"), [("3.1.0", "Update ape-jupyter"), ("0.9.0", "Convert it with APE")]
)
def test_a_missing_path_names_the_versions_that_are_known(version: str, advice: str) -> None:
    with pytest.raises(MigrationError, match=r"1\.0\.0, 1\.5\.0, 2\.0\.0") as caught:
        MigrationService().migrate({"schema_version": version})
    assert version in caught.value.message
    assert advice in caught.value.message


def test_two_steps_between_the_same_versions_are_refused() -> None:
    other = Migration(
        name="another",
        from_version=METADATA_STEPS[0].from_version,
        to_version=METADATA_STEPS[0].to_version,
        upgrade=dict,
    )
    with pytest.raises(MigrationError, match="'another'"):
        MigrationService([*METADATA_STEPS, other])


def _step(upgrade: Any, version: str = "0.9.0") -> Migration:
    return Migration(
        name="of a plugin",
        from_version=SchemaVersion.parse(version),
        to_version=SchemaVersion(1, 0, 0),
        upgrade=upgrade,
    )


def _fails(document: Mapping[str, Any]) -> dict[str, Any]:
    raise KeyError("patients")


def _empties(document: Any) -> dict[str, Any]:
    document["nested"].clear()
    return dict(document)


def test_a_step_that_fails_is_named() -> None:
    with pytest.raises(MigrationError, match=r"of a plugin \(0\.9\.0 to 1\.0\.0\).*patients"):
        MigrationService([*METADATA_STEPS, _step(_fails)]).migrate({"schema_version": "0.9.0"})
    with pytest.raises(MigrationError, match="returned NoneType"):
        MigrationService([*METADATA_STEPS, _step(lambda document: None)]).migrate(
            {"schema_version": "0.9.0"}
        )


def test_a_step_that_changes_its_argument_does_not_reach_the_original() -> None:
    document = {"schema_version": "0.9.0", "nested": {"a": 1}}
    migrated = MigrationService([*METADATA_STEPS, _step(_empties)]).migrate(document)
    assert migrated.document["nested"] == {}
    assert document == migrated.original == {"schema_version": "0.9.0", "nested": {"a": 1}}


OLD_STEP = _step(dict)
NO_STEP = "no migration"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    entries: list[EntryPoint] = []
    monkeypatch.setattr(service_module, "entry_points", lambda group: entries)
    metadata_migrations.cache_clear()
    yield entries
    metadata_migrations.cache_clear()


def test_an_installed_package_can_add_a_step(installed: list[EntryPoint]) -> None:
    installed.append(EntryPoint("old", f"{__name__}:OLD_STEP", service_module.ENTRY_POINTS))
    migrated = metadata_migrations().migrate({"schema_version": "0.9.0", "sim_id": "a"})
    assert migrated.steps[0].name == "of a plugin"
    assert migrated.document["schema_version"] == "2.0.0"


@pytest.mark.parametrize("value", [f"{__name__}:NO_STEP", f"{__name__}:missing", "no_module:x"])
def test_a_broken_step_of_a_package_is_named(installed: list[EntryPoint], value: str) -> None:
    installed.append(EntryPoint("old", value, service_module.ENTRY_POINTS))
    with pytest.raises(MigrationError, match=value):
        metadata_migrations()
