"""Files and folders put in place: whatever happens, the name stands for the old one or the new one, whole."""

import errno
import itertools
import os
import shutil
import stat
from pathlib import Path

import pytest

from diptych.storage import place as place_module
from diptych.storage.place import folder_in_place, put_folder, replace_file, standing

OLD, NEW = {"a": b"old", "inside/b": b"old, too"}, {"a": b"new", "inside/b": b"new, too", "inside/deep/c": b"more"}


class Killed(BaseException):
    """The process ends here."""


def make(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def operations(monkeypatch):
    """Every sync, rename and removal, as (what, path); the one of number `kill_at` is not done, and none after it."""

    class Operations(list):
        kill_at = None

        def note(self, *operation):
            if len(self) == self.kill_at:
                raise Killed
            self.append(operation)

    noted = Operations()
    opened, fsync, rename, replace, rmtree = {}, os.fsync, Path.rename, Path.replace, shutil.rmtree

    def open_noted(path, *arguments, **options):
        descriptor = os_open(path, *arguments, **options)
        opened[descriptor] = Path(path)
        return descriptor

    os_open = os.open
    monkeypatch.setattr(os, "open", open_noted)
    monkeypatch.setattr(os, "fsync", lambda d: (noted.note("sync", opened.get(d)), fsync(d)))
    monkeypatch.setattr(Path, "rename", lambda p, t: (noted.note("rename", p), rename(p, t))[1])
    monkeypatch.setattr(Path, "replace", lambda p, t: (noted.note("rename", p), replace(p, t))[1])
    monkeypatch.setattr(place_module.shutil, "rmtree", lambda p, **o: (noted.note("remove", p), rmtree(p, **o)))
    return noted


@pytest.mark.parametrize("there", [True, False])
def test_a_process_killed_at_any_point_leaves_the_old_folder_or_the_new_one(tmp_path, operations, there):
    for kill_at in itertools.count():
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        place, building = folder / "place", make(folder / "building", NEW)
        if there:
            make(place, OLD)
        operations.clear()
        operations.kill_at = kill_at
        try:
            put_folder(building, place)
        except Killed:
            renamed = ("rename", building) in operations
            found = standing(place)
            assert contents(found) == (NEW if renamed else OLD if there else {})
            operations.kill_at = None
            put_folder(building if building.exists() else make(folder / "other", NEW), place)
            assert os.listdir(folder) == ["place"], "what was left has gone"
        else:
            break
    assert kill_at > 6
    assert contents(place) == NEW


def test_all_of_a_folder_is_synced_before_it_has_its_name_and_its_parent_after(tmp_path, operations):
    place, building = make(tmp_path / "place", OLD), make(tmp_path / "building", NEW)
    everything = {building, *building.rglob("*")}
    put_folder(building, place)
    named = operations.index(("rename", building))
    assert {path for what, path in operations[:named] if what == "sync"} == everything
    after = operations[named + 1 :]
    assert after == [("sync", tmp_path), ("remove", tmp_path / ".place.old")]


def test_a_file_has_the_old_content_or_the_new_one_and_is_synced_before_it_has_its_name(tmp_path, operations):
    path = tmp_path / "report.json"
    for kill_at in itertools.count():
        path.write_bytes(b"old")
        operations.clear()
        operations.kill_at = kill_at
        try:
            replace_file(path, "new: 배")
        except Killed:
            renamed = any(what == "rename" for what, _ in operations)
            assert path.read_bytes() == ("new: 배".encode() if renamed else b"old")
        else:
            break
    assert [what for what, _ in operations] == ["sync", "rename", "sync"]
    assert operations[-1] == ("sync", tmp_path)
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_folder_that_is_there_can_be_kept(tmp_path):
    place, building = make(tmp_path / "place", OLD), make(tmp_path / "building", NEW)
    with pytest.raises(FileExistsError, match="is there already"):
        put_folder(building, place, replace=False)
    assert (contents(place), contents(building)) == (OLD, NEW)


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(tmp_path, monkeypatch):
    place, building = make(tmp_path / "place", OLD), make(tmp_path / "building", NEW)
    rename = Path.rename

    def refuse(path, target):
        if path == building:
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="No space left"):
        put_folder(building, place)
    assert contents(place) == OLD
    assert sorted(os.listdir(tmp_path)) == ["building", "place"]


def test_a_file_that_cannot_be_written_stays_and_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def refuse(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"old", ["a"])


def test_a_file_keeps_its_permissions_and_a_link_leads_to_the_new_content(tmp_path):
    path, link = tmp_path / "kept" / "a", tmp_path / "link"
    replace_file(path, b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    replace_file(link, b"new")
    assert link.is_symlink() and path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_what_is_no_file_is_written_to(tmp_path):
    reading, writing = os.pipe()
    try:
        replace_file(Path(f"/dev/fd/{writing}"), "to a pipe")
        assert os.read(reading, 100) == b"to a pipe"
    finally:
        os.close(reading)
        os.close(writing)


def test_lines_end_as_they_are_given(tmp_path):
    replace_file(tmp_path / "a", "one\ntwo\r\n")
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\r\n"


def test_a_folder_in_place_is_whole_and_one_that_fails_leaves_nothing_not_even_its_parents(tmp_path):
    place = tmp_path / "a" / "b" / "made"
    for kind in (ValueError, KeyboardInterrupt):

        def fill(kind=kind):
            with folder_in_place(place) as building:
                make(building, NEW)
                assert not place.exists()
                raise kind

        with pytest.raises(kind):
            fill()
        assert not list(tmp_path.iterdir())
    with folder_in_place(place) as building:
        make(building, NEW)
    assert contents(place) == contents(make(tmp_path / "expected", NEW)) != {}
    assert [each.name for each in place.parent.iterdir()] == ["made"]
    assert stat.S_IMODE(place.stat().st_mode) == 0o755
    with pytest.raises(FileExistsError, match="is there already"), folder_in_place(place) as building:
        make(building, OLD)
    assert sorted(contents(place)) == sorted(NEW)


def test_a_parent_that_holds_something_stays(tmp_path):
    def fill():
        with folder_in_place(tmp_path / "a" / "made"):
            (tmp_path / "a" / "of another").write_text("x", encoding="utf-8")
            raise Killed

    with pytest.raises(Killed):
        fill()
    assert [each.name for each in (tmp_path / "a").iterdir()] == ["of another"]
