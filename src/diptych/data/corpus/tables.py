"""The pairs of one table: two columns of a TSV, of a CSV, or of JSON objects, one a line."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from diptych.data.corpus.lines import LONGEST_LINE, tolerant_lines_of
from diptych.data.faults import Fault
from diptych.data.reasons import Reason
from diptych.errors import DataError


class Layout(NamedTuple):
    """How a file holds its pairs.

    Attributes:
        source, target: the column of each: a name, a number from 1, or "" for the format's own; in JSON dots lead
            into objects.
        delimiter: what stands between the columns of a file that is neither CSV nor JSON; "" for a tab. With another
            one and no columns, the source is what stands before the first, and the target all that follows.
        comment: a line of a table that begins with it is none; "" for none.
        encoding: of the text.
        source_remove, target_remove: what matches these regular expressions is taken out of each side.
    """

    source: str = ""
    target: str = ""
    delimiter: str = ""
    comment: str = ""
    encoding: str = "utf-8"
    source_remove: str = ""
    target_remove: str = ""


USUAL = Layout()


Row = tuple[str, str] | Fault
Numbered = tuple[int, Row]
"""The number of the line on which a row begins, from 1, and the row."""
SEPARATORS = ("\t", ",", ";", "|", "~", " ")
"""What may stand between columns, to name what a line without the right one holds."""
COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zstd")


class CsvReader(Protocol):
    """Python's own, which has no name."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...


def rows_of(path: str | Path, layout: Layout = USUAL) -> Iterator[Numbered]:
    """The rows of a table, in whatever format its name says, without a look at whether a side is empty.

    `NAME.csv` has a header and commas; `NAME.jsonl` and `NAME.ndjson` have a JSON object on each line; every other
    file is a TSV, which has a header only where a column is given by name. A suffix of compression may follow.

    Raises:
        DataError: the file cannot be read, or has no such column.
    """
    format_of = {".csv": _csv, ".jsonl": _json_lines, ".ndjson": _json_lines}
    return format_of.get(table_suffix(path), _tsv)(path, layout)


def _lines(path: str | Path, layout: Layout) -> Iterator[tuple[int, str | Fault]]:
    """The lines that are no comments, each with its number."""
    for number, line in enumerate(tolerant_lines_of(path, layout.encoding), 1):
        text = line.text if isinstance(line, Fault) else line
        if not layout.comment or not text.startswith(layout.comment):
            yield number, line


def table_suffix(path: str | Path) -> str:
    """The last part of a file's name that is not about its compression, in lower case."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in COMPRESSED), "")


def _tsv(path: str | Path, layout: Layout) -> Iterator[Numbered]:
    lines, delimiter = _lines(path, layout), layout.delimiter or "\t"
    if layout.delimiter and not layout.source and not layout.target:
        return ((number, line if isinstance(line, Fault) else _parted(line, delimiter)) for number, line in lines)
    wanted = layout.source or "1", layout.target or "2"
    if not all(map(_is_number, wanted)):
        places = _places(path, [column.strip() for column in _header(path, lines).split(delimiter)], wanted)
    else:
        places = int(wanted[0]) - 1, int(wanted[1]) - 1
    split = _first_two if places == (0, 1) and delimiter == "\t" else _chosen(places, delimiter)
    return ((number, line if isinstance(line, Fault) else split(line)) for number, line in lines)


def _first_two(line: str) -> Row:
    source, tab, rest = line.partition("\t")
    return (source, rest.partition("\t")[0]) if tab else _no_delimiter(line, "\t")


def _parted(line: str, delimiter: str) -> Row:
    source, there, target = line.partition(delimiter)
    return (source.strip(), target.strip()) if there else _no_delimiter(line, delimiter)


def _chosen(places: tuple[int, int], delimiter: str) -> Callable[[str], Row]:
    source, target = places
    needed = max(places) + 1
    between = "tabs" if delimiter == "\t" else repr(delimiter)

    def split(line: str) -> Row:
        cells = line.split(delimiter)
        if len(cells) >= needed:
            return cells[source], cells[target]
        if len(cells) == 1:
            return _no_delimiter(line, delimiter)
        problem = f": {len(cells)} columns, expected at least {needed} with {between} between"
        return Fault(Reason.NO_COLUMN, problem, line)

    return split


def _no_delimiter(line: str, delimiter: str) -> Fault:
    """What a line lacks, and which other separators are in it."""
    what = "tab" if delimiter == "\t" else repr(delimiter)
    seen = [repr(each) for each in SEPARATORS if each != delimiter and each in line]
    advice = f"; it holds {', '.join(seen)}: set data.delimiter if one of them parts the columns" if seen else ""
    return Fault(
        Reason.NO_COLUMN,
        f": no {what}, expected source and target with a {what} between them{advice}; if these are the sources of two "
        f"aligned files, give both files",
        line,
    )


def _csv(path: str | Path, columns: Layout) -> Iterator[Numbered]:
    csv.field_size_limit(LONGEST_LINE)
    faults: list[Fault] = []
    reader = csv.reader(_fed((line for _, line in _lines(path, columns)), faults), strict=True)
    header = next(_records(path, reader, faults), (0, []))[1]
    if isinstance(header, Fault):
        raise header.error(path, 1)
    source, target = _places(path, [name.strip() for name in header], (columns[0] or "source", columns[1] or "target"))
    for number, cells in _records(path, reader, faults):
        if isinstance(cells, Fault):
            yield number, cells
        elif len(cells) == len(header):
            yield number, (_one_line(cells[source]), _one_line(cells[target]))
        elif cells:
            problem = f": {len(cells)} columns, expected the header's {len(header)}; quote a text that holds a comma"
            yield number, Fault(Reason.NO_COLUMN, problem, ",".join(cells))
        else:
            yield number, Fault(Reason.EMPTY, ": a blank line; remove it", "")


def _fed(lines: Iterable[str | Fault], faults: list[Fault]) -> Iterator[str]:
    """What Python's reader wants: lines with their ends; faults are put aside, and tell on the row they are in."""
    for line in lines:
        if isinstance(line, Fault):
            faults.append(line)
            yield line.text.replace("\0", "") + "\n"  # its quotes belong to the table as others do
        else:
            yield line + "\n"


def _records(path: str | Path, reader: CsvReader, faults: list[Fault]) -> Iterator[tuple[int, list[str] | Fault]]:
    """Each record with the number of its first line."""
    while True:
        number = reader.line_num + 1
        faults.clear()
        try:
            cells: list[str] | Fault = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error) or "field larger" in str(error):
                raise DataError(f"{path}, line {number}: a quote is opened and never closed; close or double it")
            cells = Fault(Reason.NO_TABLE_ROW, f": not CSV ({error}); put quotes around a text, double those in it", "")
        yield number, faults[0] if faults else cells


def _json_lines(path: str | Path, columns: Layout) -> Iterator[Numbered]:
    source, target = columns[0] or "source", columns[1] or "target"
    if _is_number(source) or _is_number(target):
        raise DataError(f"{path} holds JSON objects, whose columns have names, got source_column = {source!r} and "
                        f"target_column = {target!r}")  # fmt: skip
    for number, line in _lines(path, columns):
        yield number, line if isinstance(line, Fault) else _from_json(line, source, target)


def _from_json(line: str, source: str, target: str) -> Row:
    if not line or line.isspace():
        return Fault(Reason.EMPTY, ": a blank line; remove it", line)
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Fault(Reason.NO_TABLE_ROW, f": not JSON ({error}); expected one object a line", line)
    if not isinstance(values, dict):
        return Fault(Reason.NO_TABLE_ROW, f": JSON, but no object; expected {{{source!r}: ..., {target!r}: ...}}", line)
    found = {column: _field(values, column) for column in (source, target)}
    for column in (source, target):
        if found[column] is None:
            listed = ", ".join(map(repr, values)) or "none"
            return Fault(
                Reason.NO_COLUMN, f": no column {column!r}, there are: {listed}; set {_option(column, source)}", line
            )
        if not isinstance(found[column], str):
            return Fault(Reason.NO_COLUMN, f": column {column!r} holds {found[column]!r:.40}, expected a text", line)
    texts = found[source], found[target]
    if "\\u" in line:  # only so can a line hold what UTF-8 cannot, and a NUL
        if "\0" in texts[0] or "\0" in texts[1]:
            return Fault(Reason.NUL, ": a NUL character; remove it", line)
        if re.search("[\ud800-\udfff]", "".join(texts)):
            return Fault(Reason.NOT_UTF8, ": half a surrogate pair, which is no character; write both halves", line)
    return _one_line(texts[0]), _one_line(texts[1])


def _field(values: Any, column: str) -> Any:
    """A key's value, or what a name with dots leads to: "translation.ko"; None where there is none."""
    if column in values:
        return values[column] if values[column] is not None else False  # a null is there, and no text
    for part in column.split("."):
        if not isinstance(values, dict) or part not in values:
            return None
        values = values[part]
    return values


def _header(path: str | Path, lines: Iterator[tuple[int, str | Fault]]) -> str:
    number, line = next(lines)  # an empty file has been refused
    if isinstance(line, Fault):
        raise line.error(path, number)
    return line


def _places(path: str | Path, header: list[str], wanted: tuple[str, str]) -> tuple[int, int]:
    """Where the wanted columns are, from 0."""
    places = []
    for side, column in zip(("source", "target"), wanted, strict=True):
        if column in header:
            places.append(header.index(column))
        elif _is_number(column) and int(column) <= len(header):
            places.append(int(column) - 1)
        else:
            there = ", ".join(map(repr, header))
            raise DataError(f"{path} has no column {column!r}, there are: {there}; set {side}_column to one of them")
    return places[0], places[1]


def _is_number(column: str) -> bool:
    return column.isascii() and column.isdigit() and int(column) > 0


def _option(column: str, source: str) -> str:
    return "source_column" if column == source else "target_column"


def _one_line(text: str) -> str:
    """A cell as one line, as every sentence is: what breaks it becomes a space."""
    return text.replace("\r\n", " ").replace("\n", " ")
