"""The JSON schema that ships with the package."""

from __future__ import annotations

import json
from pathlib import Path

import reloader
from reloader.config import model, schema

SHIPPED = Path(reloader.__file__).parent / "config" / schema.FILE


def test_the_schema_is_current():
    """reloader/config/schema.json is what the table gives (python -m reloader.config.schema)."""
    assert SHIPPED.read_text(encoding="utf-8") == schema.text()


def test_every_key_is_in_it_and_no_other():
    """An editor completes all keys and marks what is none."""
    root = json.loads(schema.text())["properties"]
    build = root["build"]["properties"]
    found = {key for key in root if key not in (*model.SECTIONS, "apps", "env")}
    for section in model.SECTIONS:
        assert root[section]["additionalProperties"] is False
        found |= {f"{section}.{key}" for key in root[section]["properties"]}
    extra = {"build.rules", *(f"build.{platform}" for platform in model.PLATFORMS)}

    assert found - extra == {key for key, _, _ in model.options()}
    assert set(build["linux"]["properties"]) == set(model.PLATFORM_KEYS)
    app = set(root["apps"]["additionalProperties"]["properties"])
    assert app == {*(key for key, _, _ in model.options(model.App)), *root} - {"apps"}
    rule = {key for key, _, _ in model.options(model.Rule)}
    assert set(build["rules"]["items"]["properties"]) == rule
    assert all(row["description"] for row in build["rules"]["items"]["properties"].values())


def test_it_names_no_host():
    """What editors fetch from is a file beside the config."""
    assert "//" not in schema.text().replace("http://json-schema.org/draft-07/schema#", "")
