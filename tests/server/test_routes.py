"""What the routes answer, beside the good cases that the table of rows has."""

from __future__ import annotations

import pytest

from .conftest import body_of


async def test_health(fetch, library_directory):
    body = body_of(await fetch("health"))
    assert body["status"] == "ok"
    assert body["api_version"] == 1
    assert body["library"]["location"] == str(library_directory)
    assert body["library"]["n_simulations"] == 3
    assert body["features"] == {
        "kernel_access": True,
        "path_imports": True,
        "uploads": True,
        "shared_cache": True,
        "file_watching": True,
    }


async def test_search_pages(fetch, sim_ids):
    first = body_of(await fetch("simulations", params={"limit": 2}))
    assert [run["sim_id"] for run in first["items"]] == sim_ids[:0:-1]
    assert first["total"] == 3
    last = body_of(await fetch("simulations", params={"limit": 2, "cursor": first["next_cursor"]}))
    assert [run["sim_id"] for run in last["items"]] == sim_ids[:1]
    assert last["next_cursor"] is None


async def test_search_tag_of_the_entity(fetch, sim_ids):
    first = await fetch("simulations", params={"query": "e"})
    etag = first.headers["ETag"]
    again = await fetch("simulations", params={"query": "e"}, headers={"If-None-Match": etag})
    assert again.code == 304
    assert again.body == b""
    of_today = {"query": "created:<1d"}
    before = await fetch("simulations", params=of_today)
    after = await fetch(
        "simulations", params=of_today, headers={"If-None-Match": before.headers["ETag"]}
    )
    assert after.code == 200
    other = await fetch("simulations", params={"query": "x"}, headers={"If-None-Match": etag})
    assert other.code == 200
    await fetch("tags", json={"sim_ids": sim_ids[:1], "add": ["new"]})
    changed = await fetch("simulations", params={"query": "e"}, headers={"If-None-Match": etag})
    assert changed.code == 200
    assert changed.headers["ETag"] != etag


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "many"},
        {"limit": "0"},
        {"descending": "perhaps"},
        {"sort_by": "colour"},
        {"filter": "colour"},
        {"filter": "colour:red"},
        {"filter": "seed:x"},
        {"cursor": "AAAA"},
    ],
)
async def test_search_refuses(fetch, params):
    response = await fetch("simulations", params=params)
    assert response.code == 400
    assert body_of(response)["error"] in ("InvalidArgumentError", "QuerySyntaxError")
    assert body_of(response)["message"]


async def test_a_query_that_is_not_understood_says_where_and_what_to_write(fetch):
    response = await fetch("simulations", params={"query": "quiet protcol:x"})
    assert response.code == 400
    assert body_of(response)["error"] == "QuerySyntaxError"
    assert body_of(response)["details"]["position"] == 6
    assert "'protocol'" in body_of(response)["details"]["hint"]


async def test_search_refuses_a_flood_of_parameters(fetch):
    response = await fetch("simulations", params=[("filter", "seed:1")] * 300)
    assert response.code == 400


async def test_unknown_run(fetch):
    response = await fetch("simulations", "quiet-harbor")
    assert response.code == 404
    body = body_of(response)
    assert body["error"] == "SimulationNotFoundError"
    assert body["details"]["sim_id"] == "quiet-harbor"
    assert "quiet-harbour" in body["details"]["suggestions"]
    assert "Did you mean" in body["message"]


async def test_name_and_prefix(fetch, sim_ids):
    for text in (sim_ids[0], "quiet-harbour", "quiet"):
        assert body_of(await fetch("simulations", text))["sim_id"] == sim_ids[0]


async def test_names_are_not_paths(fetch):
    response = await fetch("simulations", "..%2F..%2Fetc%2Fpasswd")
    assert response.code == 404
    assert body_of(response)["error"] == "SimulationNotFoundError"


async def test_delete_and_restore(fetch, sim_ids):
    deleted = body_of(await fetch("simulations", sim_ids[0], method="DELETE"))
    assert deleted["status"] == "trashed"
    assert (await fetch("simulations", sim_ids[0])).code == 404
    assert body_of(await fetch("simulations"))["total"] == 2
    restored = body_of(await fetch("simulations", sim_ids[0], "restore", method="POST"))
    assert restored["status"] == "available"
    assert (await fetch("simulations", sim_ids[0])).code == 200


async def test_open_and_download(fetch, sim_ids):
    opened = body_of(await fetch("simulations", sim_ids[1], "open", method="POST"))
    assert opened["metadata"]["sim_id"] == sim_ids[1]
    assert set(opened["tables"]) >= {"patients", "visits", "costs"}
    for name, table in opened["tables"].items():
        response = await fetch("simulations", sim_ids[1], "tables", name)
        assert len(response.body) == table["size_bytes"]
        with open(table["path"], "rb") as file:  # noqa: ASYNC230, PTH123
            assert response.body == file.read()
        assert response.headers["Content-Type"] == "application/vnd.apache.arrow.file"
        assert response.headers["Content-Disposition"] == "attachment"
        assert response.headers["Repr-Digest"].startswith("sha-256=:")


@pytest.mark.parametrize("table", ["nothing", "summary-3", "..%2Fpatients", "%2Fetc%2Fpasswd"])
async def test_other_files_can_not_be_downloaded(fetch, sim_ids, table):
    response = await fetch("simulations", sim_ids[0], "tables", table)
    assert response.code == 404
    assert "patients" in body_of(response)["message"]


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "an object"),
        ('{"sim_ids": "a"}', "body.sim_ids"),
        ('{"sim_ids": [1]}', "body.sim_ids[0]"),
        ('{"sim_ids": ["a"], "ad": []}', "'ad'"),
        ('{"add": []}', "lacks the field 'sim_ids'"),
    ],
)
async def test_malformed_bodies(fetch, body, part):
    response = await fetch("tags", method="POST", body=body)
    assert response.code == 400
    assert body_of(response)["error"] == "InvalidArgumentError"
    assert part in body_of(response)["message"]


async def test_tags_all_or_nothing(fetch, sim_ids):
    changed = await fetch("tags", json={"sim_ids": [sim_ids[0], "no such run"], "add": ["x"]})
    assert changed.code == 404
    assert body_of(await fetch("tags")) == []
    changed = await fetch("tags", json={"sim_ids": sim_ids[:2], "add": ["x"]})
    assert [run["tags"] for run in body_of(changed)["items"]] == [["x"], ["x"]]
    (counted,) = body_of(await fetch("tags"))
    assert (counted["tag"], counted["count"]) == ("x", 2)


async def test_comparison(fetch, sim_ids):
    order = {"sim_ids": sim_ids[:2], "comparison_type": "difference"}
    body = body_of(await fetch("comparisons", json=order))
    assert body["request"]["time_alignment"] == "absolute"
    assert body["request"]["reference"] == sim_ids[0]
    assert body["series"]["x"][0].endswith("-01")
    assert len({len(column) for column in body["series"].values()}) == 1
    order["time_alignment"] = "normalized"
    body = body_of(await fetch("comparisons", json=order))
    assert all(0 <= x <= 1 for x in body["differences"]["x"])


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"comparison_type": "opinion"}, 400),
        ({"confidence": 2}, 400),
        ({"confidence": None}, 400),
        ({"metrics": ["height"]}, 400),
        ({"sim_ids": []}, 400),
        ({"sim_ids": ["a", "b"]}, 404),
    ],
)
async def test_comparison_refuses(fetch, sim_ids, change, status):
    response = await fetch("comparisons", json={"sim_ids": sim_ids[:2], **change})
    assert response.code == status


class TestBrokenLibrary:
    @pytest.fixture
    def library_directory(self, tmp_path):
        path = tmp_path / "library"
        path.write_text("this is no directory")
        return path

    async def test_says_what_is_wrong_and_recovers(self, fetch, library_directory):
        for path in ("health", "simulations", "tags"):
            response = await fetch(path)
            assert response.code == 503
            assert body_of(response)["error"] == "ServerUnavailableError"
            assert str(library_directory) in body_of(response)["message"]
        library_directory.unlink()
        assert (await fetch("health")).code == 200


class TestFeaturesOff:
    @pytest.fixture
    def app_options(self):
        off = ("kernel_access", "path_imports", "uploads", "shared_cache", "file_watching")
        return {**dict.fromkeys(off, False), "watched_folders": ["/srv/results"]}

    async def test_says_which_switch(self, fetch, example_package, example_runs):
        response = await fetch("imports", json={"path": str(example_runs[0])})
        assert response.code == 403
        assert "ApeJupyterApp.path_imports" in body_of(response)["message"]
        response = await fetch("packages", method="POST", body=example_package)
        assert response.code == 403
        assert "ApeJupyterApp.uploads" in body_of(response)["message"]
        response = await fetch("watches", json={"folder": str(example_runs[0].parent)})
        assert response.code == 403
        assert "ApeJupyterApp.file_watching" in body_of(response)["message"]
        assert body_of(await fetch("watches")) == {"items": []}
        features = body_of(await fetch("health"))["features"]
        assert not any(features.values())

    async def test_kernels_are_refused(self, fetch, kernel, ape_app, jp_base_url):
        from ape_jupyter.wire.signing import sign

        target = f"{jp_base_url}ape-jupyter/api/v1/health"
        authorization = sign(kernel, "GET", f"{target}?").authorization
        response = await fetch("health", headers={"Authorization": authorization})
        assert response.code == 401
        assert "switched off" in body_of(response)["message"]
        assert not ape_app._discovery.path.exists()


async def test_an_unexpected_error_shows_a_reference_and_no_details(fetch, monkeypatch, caplog):
    from ape_jupyter.library.local import LocalLibrary

    def fail(*_):
        raise RuntimeError("with a secret")

    monkeypatch.setattr(LocalLibrary, "tags", fail)
    response = await fetch("tags")
    assert response.code == 500
    assert "secret" not in response.body.decode()
    reference = body_of(response)["message"].rstrip(".").split()[-1]
    assert reference in caplog.text
    assert "with a secret" in caplog.text


async def test_large_bodies_of_json_are_not_read(fetch):
    response = await fetch("tags", method="POST", body=" " * (4 * 2**20 + 1))
    assert response.code == 413
    assert "4 MiB" in body_of(response)["message"]
