"""What is written whole replaces files, and no device and no link."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from rnn_harness.runtime.atomic_file import write_whole

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.is_char_device(), reason="not run: there is no device that is always full")
def test_a_full_device_is_told_and_stays_a_device() -> None:
    with pytest.raises(OSError, match="No space left"):
        write_whole(FULL, "a record")
    assert stat.S_ISCHR(FULL.stat().st_mode)


def test_a_link_stays_a_link_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before", encoding="utf-8")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "file")
    write_whole(link, "after")
    assert link.is_symlink()
    assert (tmp_path / "file").read_text(encoding="utf-8") == "after"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]
