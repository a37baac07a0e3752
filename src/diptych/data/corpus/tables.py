"""The pairs of one table: columns of a TSV, a CSV, a Parquet file, a workbook, or of JSON objects, one a line."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from diptych.data.corpus.layout import USUAL, Layout, is_number, separators_in
from diptych.data.corpus.lines import LONGEST_LINE, tolerant_lines_of
from diptych.data.corpus.sheets import parquet_rows, workbook_rows
from diptych.data.faults import Fault
from diptych.data.reasons import Reason
from diptych.errors import DataError

Row = tuple[str, str] | Fault
Numbered = tuple[int, Row]
"""The number of the line on which a row begins, from 1, and the row."""
COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zstd")


class CsvReader(Protocol):
    """Python's own, which has no name."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...


def rows_of(path: str | Path, layout: Layout = USUAL) -> Iterator[Numbered]:
    """The rows of a table, in whatever format its name says, without a look at whether a side is empty.

    `NAME.csv` has a header and commas; `NAME.jsonl` and `NAME.ndjson` have a JSON object on each line; `NAME.parquet`
    and `NAME.xlsx` are read by packages of their own; every other file is a TSV, which has a header only where a column
    is given by name. A suffix of compression may follow.

    Raises:
        DataError: the file cannot be read, or has no such column.
    """
    format_of = {
        ".csv": _csv, ".jsonl": _json_lines, ".ndjson": _json_lines, ".parquet": _sheet, ".xlsx": _sheet
    }  # fmt: skip
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
    if layout.delimiter and layout == layout._replace(source="", target="", tags=()):
        return ((number, line if isinstance(line, Fault) else _parted(line, delimiter)) for number, line in lines)
    wanted = layout.named("1", "2")
    if not all(map(is_number, wanted)):
        header = _header(path, lines)
        places = _places(
            path, [column.strip() for column in header.split(delimiter)], layout, own=("1", "2"), line=header
        )
    else:
        places = [int(column) - 1 for column in wanted]
    split = _first_two if places == [0, 1] and delimiter == "\t" else _chosen(places, layout)
    return ((number, line if isinstance(line, Fault) else split(line)) for number, line in lines)


def _first_two(line: str) -> Row:
    source, tab, rest = line.partition("\t")
    return (source, rest.partition("\t")[0]) if tab else _no_delimiter(line, "\t")


def _parted(line: str, delimiter: str) -> Row:
    source, there, target = line.partition(delimiter)
    return (source.strip(), target.strip()) if there else _no_delimiter(line, delimiter)


def _chosen(places: list[int], layout: Layout) -> Callable[[str], Row]:
    needed, delimiter = max(places) + 1, layout.delimiter or "\t"
    between = "tabs" if delimiter == "\t" else repr(delimiter)

    def split(line: str) -> Row:
        cells = line.split(delimiter)
        if len(cells) >= needed:
            return layout.pair([cells[place] for place in places])
        if len(cells) == 1:
            return _no_delimiter(line, delimiter)
        problem = f": {len(cells)} columns, expected at least {needed} with {between} between"
        return Fault(Reason.NO_COLUMN, problem, line)

    return split


def _no_delimiter(line: str, delimiter: str) -> Fault:
    """What a line lacks, and which other separators are in it."""
    what = "tab" if delimiter == "\t" else repr(delimiter)
    return Fault(
        Reason.NO_COLUMN,
        f": no {what}, expected source and target with a {what} between them{separators_in(line, delimiter)}; if these "
        f"are the sources of two aligned files, give both files",
        line,
    )


def _sheet(path: str | Path, layout: Layout) -> Iterator[Numbered]:
    rows = (parquet_rows if table_suffix(path) == ".parquet" else workbook_rows)(path)
    header = ["" if cell is None else str(cell).strip() for cell in next(rows, ())]
    if not header:
        raise DataError(f"{path} is empty, expected a header and a pair in each row")
    places = _places(path, header, layout, own=("source", "target"))
    for number, cells in enumerate(rows, 2):
        texts = [_one_line("" if cells[place] is None else str(cells[place])) for place in places]
        yield number, layout.pair(texts)


def _csv(path: str | Path, layout: Layout) -> Iterator[Numbered]:
    csv.field_size_limit(LONGEST_LINE)
    faults: list[Fault] = []
    reader = csv.reader(_fed((line for _, line in _lines(path, layout)), faults), strict=True)
    header = next(_records(path, reader, faults), (0, []))[1]
    if isinstance(header, Fault):
        raise header.error(path, 1)
    names = [name.strip() for name in header]
    places = _places(path, names, layout, own=("source", "target"), line=",".join(header))
    for number, cells in _records(path, reader, faults):
        if isinstance(cells, Fault):
            yield number, cells
        elif len(cells) == len(header):
            yield number, layout.pair([_one_line(cells[place]) for place in places])
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


def _json_lines(path: str | Path, layout: Layout) -> Iterator[Numbered]:
    wanted = layout.named("source", "target")
    for column in filter(is_number, wanted):
        option = layout.option(column, "source", "target")
        raise DataError(f"{path} holds JSON objects, whose columns have names, got {option} = {column!r}")
    for number, line in _lines(path, layout):
        yield number, line if isinstance(line, Fault) else _from_json(line, wanted, layout)


def _from_json(line: str, wanted: tuple[str, ...], layout: Layout) -> Row:
    if not line or line.isspace():
        return Fault(Reason.EMPTY, ": a blank line; remove it", line)
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Fault(Reason.NO_TABLE_ROW, f": not JSON ({error}); expected one object a line", line)
    if not isinstance(values, dict):
        expected = ", ".join(f"{column!r}: ..." for column in wanted)
        return Fault(Reason.NO_TABLE_ROW, f": JSON, but no object; expected {{{expected}}}", line)
    texts = [_field(values, column) for column in wanted]
    for column, text in zip(wanted, texts, strict=True):
        if text is None:
            listed = ", ".join(map(repr, values)) or "none"
            option = layout.option(column, "source", "target")
            return Fault(Reason.NO_COLUMN, f": no column {column!r}, there are: {listed}; set {option}", line)
        if not isinstance(text, str):
            return Fault(Reason.NO_COLUMN, f": column {column!r} holds {text!r:.40}, expected a text", line)
    if "\\u" in line:  # only so can a line hold what UTF-8 cannot, and a NUL
        if any("\0" in text for text in texts):
            return Fault(Reason.NUL, ": a NUL character; remove it", line)
        if re.search("[\ud800-\udfff]", "".join(texts)):
            return Fault(Reason.NOT_UTF8, ": half a surrogate pair, which is no character; write both halves", line)
    return layout.pair([_one_line(text) for text in texts])


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


def _places(path: str | Path, header: list[str], layout: Layout, own: tuple[str, str], line: str = "") -> list[int]:
    """Where the wanted columns are, from 0; `own` is what the format calls its own, `line` the header as it stands."""
    places = []
    for column in layout.named(*own):
        if column in header:
            places.append(header.index(column))
        elif is_number(column) and int(column) <= len(header):
            places.append(int(column) - 1)
        else:
            there = ", ".join(map(repr, header))
            advice = separators_in(line, layout.delimiter or "\t") if len(header) == 1 else ""
            raise DataError(
                f"{path} has no column {column!r}, there are: {there}; set {layout.option(column, *own)} to one of "
                f"them{advice}"
            )
    return places


def _one_line(text: str) -> str:
    """A cell as one line, as every sentence is: what breaks it becomes a space."""
    return text.replace("\r\n", " ").replace("\n", " ")
