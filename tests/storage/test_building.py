"""Folders that are built aside: whose they are, and when they are thought to be abandoned."""

import os
import time

from diptych.storage.building import ABANDONED_SECONDS, building_folder, remove_abandoned


def test_what_a_living_process_builds_stays_when_the_clock_is_set(tmp_path):
    with building_folder(tmp_path, "key") as folder:
        (folder / "part").write_text("some", encoding="utf-8")
        for hours in (-1000, 1000):
            for path in (folder / "part", folder):
                os.utime(path, (then := time.time() + hours * ABANDONED_SECONDS, then))
            remove_abandoned(tmp_path)
            assert (folder / "part").exists()


def test_what_a_dead_process_left_goes_after_an_hour_of_whichever_clock(tmp_path):
    for hours in (-2.0, 0.0, 2.0):
        left = tmp_path / f".key.{hours}.tmp"
        left.mkdir()
        os.utime(left, (then := time.time() + hours * ABANDONED_SECONDS, then))
    remove_abandoned(tmp_path, ".key")
    assert [path.name for path in tmp_path.iterdir()] == [".key.0.0.tmp"]


def test_a_folder_that_is_being_built_in_is_not_taken_over(tmp_path):
    with building_folder(tmp_path, "key") as first, building_folder(tmp_path, "key") as second:
        assert first != second
