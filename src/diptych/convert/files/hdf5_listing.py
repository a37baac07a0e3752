"""What is in an HDF5 file, told by a process of its own: `python hdf5_listing.py PATH START SIZE`.

HDF5's library is written in C and reads a damaged file badly: it may crash, or take all memory. So it runs here, within
limits, and prints as JSON where every array's bytes lie; nothing of the arrays passes through it. Links into other
files are named, never followed. The file's bytes come on standard input if SIZE is negative, as many as that. Nothing
of this package is imported, so that it starts at once.
"""

from __future__ import annotations

import base64
import io
import json
import math
import sys
from typing import Any

MEMORY, SECONDS = 512 << 20, 3  # of address space, of which the libraries reserve a third; of processor time
OBJECTS, CHUNKS, DEPTH = 8_000, 100_000, 100
TEXT = 16 << 20  # bytes of all attributes together
SMALL = 1 << 16  # bytes of an array that has no place of its own in the file


class Stretch(io.RawIOBase):
    """A stretch of a file as if it were a file: an HDF5 file within a zip archive."""

    def __init__(self, path: str, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = open(path, "rb"), start, size, 0  # noqa: SIM115

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._start + self._at)
        data = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class Listing:
    """What was found on the way through the file's groups."""

    def __init__(self) -> None:
        self.attributes: dict[str, dict[str, Any]] = {}
        self.arrays: list[dict[str, Any]] = []
        self.left_out: list[str] = []
        self._seen: set[Any] = set()
        self._objects = self._chunks = self._text = 0

    def visit(self, group: Any) -> None:
        """Go through a group and all within it; `left_out` gets what is no array.

        Raises:
            ValueError: there is too much, or a group within itself.
        """
        import h5py

        waiting = [("", group, 0)]
        while waiting:
            path, found, depth = waiting.pop()
            self._objects += 1
            self._enter(found, path, depth)
            self._read_attributes(path, found)
            if isinstance(found, h5py.Dataset):
                self._add_array(path, found)
                continue
            if self._objects + len(found) > OBJECTS:
                raise ValueError(f"there are more than {OBJECTS:,} groups and arrays")
            for name in reversed(list(found)):
                inner = f"{path}/{name}".lstrip("/")
                kind = found.get(name, getlink=True)
                if not isinstance(kind, h5py.HardLink):
                    self.left_out.append(f"{inner}: a {type(kind).__name__}, not followed")
                    continue
                item = found[name]
                if isinstance(item, h5py.Group | h5py.Dataset):
                    waiting.append((inner, item, depth + 1))

    def _enter(self, found: Any, path: str, depth: int) -> None:
        import h5py

        info = h5py.h5o.get_info(found.id)
        if depth > DEPTH or (info.fileno, info.addr) in self._seen:
            raise ValueError(f"{path!r} is within itself, or has two names")
        self._seen.add((info.fileno, info.addr))

    def _read_attributes(self, path: str, found: Any) -> None:
        import numpy as np

        values: dict[str, Any] = {}
        for name in found.attrs:
            stored = found.attrs.get_id(name)
            size = math.prod(stored.shape or ()) * stored.dtype.itemsize
            if size > TEXT:
                raise ValueError(f"an attribute of {path!r} has {size:,} bytes")
            if stored.dtype.kind not in "SOiufb" or stored.shape is None:
                continue
            value = found.attrs[name] if size else np.empty(0)
            value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
            values[name] = [_text(item) for item in value] if isinstance(value, list) else _text(value)
            self._text += sum(map(len, map(str, values[name]))) if isinstance(value, list) else len(str(value))
            if self._text > TEXT:
                raise ValueError("the attributes are too long to be a model's")
        if values:
            self.attributes[path] = values

    def _add_array(self, path: str, found: Any) -> None:
        dtype, layout = found.dtype, found.id.get_create_plist()
        name = dtype.name
        if dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None:
            name = "bfloat16"  # as Keras 3 stores it
        elif dtype.kind not in "iufbc" or found.shape is None:
            self.left_out.append(f"{path}: {dtype}, not numbers")
            return
        if layout.get_external_count() or found.is_virtual:
            raise ValueError(f"the numbers of {path!r} are in another file")
        entry: dict[str, Any] = {
            "path": path,
            "dtype": name,
            "big": dtype.str.startswith(">"),
            "shape": list(found.shape),
            "stored": found.id.get_storage_size(),
            "offset": found.id.get_offset(),
        }
        if found.chunks is not None:
            entry["chunk_shape"] = list(found.chunks)
            entry["filters"] = [layout.get_filter(i)[0] for i in range(layout.get_nfilters())]
            entry["chunks"] = chunks = []
            self._chunks += found.id.get_num_chunks()
            if self._chunks > CHUNKS:
                raise ValueError(f"the arrays are cut into more than {CHUNKS:,} pieces")
            found.id.chunk_iter(
                lambda info: chunks.append([list(info.chunk_offset), info.filter_mask, info.byte_offset, info.size])
            )
        elif entry["offset"] is None and 0 < entry["stored"] <= SMALL:
            entry["bytes"] = base64.b64encode(found[()].tobytes()).decode()
            entry["big"] = dtype.str.startswith(">")
        self.arrays.append(entry)


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def main(path: str, start: int, size: int) -> None:
    """Print the listing, or {"error": why there is none}."""
    try:
        import resource

        memory = MEMORY + 2 * max(0, -size)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    except (ImportError, OSError, ValueError):
        pass  # Windows has no such limits, macOS not all of them
    import h5py

    try:
        source = io.BytesIO(sys.stdin.buffer.read()) if size < 0 else Stretch(path, start, size)
        listing = Listing()
        with h5py.File(source, "r") as file:
            listing.visit(file)
        told: dict[str, Any] = {
            "attributes": listing.attributes, "arrays": listing.arrays, "left_out": listing.left_out[:1000]
        }  # fmt: skip
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, MemoryError, OverflowError) as error:
        told = {"error": str(error) or type(error).__name__}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
