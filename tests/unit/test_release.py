"""What `make release` writes into the version, the changelog and the tag."""

from __future__ import annotations

import pytest

from distribution import release

OLD = (
    "# Changelog\n\nWords.\n\n## Unreleased\n\n### Added\n\n- A thing.\n\n"
    "## 0.1.0 - 2026-01-02\n\n- First.\n"
)
NEW = OLD.replace("## Unreleased\n", "## Unreleased\n\n## 0.2.0 - 2026-03-04\n")


def test_the_changes_get_their_version():
    """All that was unreleased is in the version, and the next changes have a place."""
    changed = release.with_section(OLD, "0.2.0", "2026-03-04")
    assert changed == NEW
    assert release.section(changed, "0.2.0") == "### Added\n\n- A thing."
    assert release.section(changed, "Unreleased") == ""


def test_a_version_is_given_once():
    """A second call, after an error say, changes nothing."""
    assert release.with_section(NEW, "0.2.0", "2026-05-06") == NEW


def test_there_is_something_to_release():
    """Without a change there is no version."""
    with pytest.raises(ValueError, match="nothing"):
        release.with_section(NEW, "0.3.0", "2026-05-06")


def test_the_version_is_one_line():
    """Other lines stay; a file without such a line is refused."""
    assert release.with_version('"""Doc."""\n\n__version__ = "0.1.0"\n', "0.2.0rc1") == (
        '"""Doc."""\n\n__version__ = "0.2.0rc1"\n'
    )
    with pytest.raises(ValueError, match="__version__"):
        release.with_version("", "0.2.0")
    assert release.with_version(release.VERSION.read_text(), "9.9.9").count("9.9.9") == 1


def test_the_tag_has_no_headings():
    """git would take a line that begins with # for a comment."""
    assert release.tag_text(NEW, "0.2.0") == "reloader 0.2.0\n\nAdded\n\n- A thing.\n"


def test_this_changelog_has_something_to_release():
    """CHANGELOG.md can be read."""
    assert release.section(release.CHANGES.read_text(), "Unreleased")
