"""Tables that packages of their own read: Parquet files and Excel's workbooks."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diptych.errors import DataError

EXTRA = "pip install 'diptych[tables]'"


def parquet_rows(path: str | Path) -> Iterator[list[Any]]:
    """The header, then each row of a Parquet file, block by block.

    Raises:
        DataError: pyarrow is not installed, or this is no Parquet file.
    """
    parquet = _package("pyarrow.parquet", path)
    try:
        file = parquet.ParquetFile(str(path))
        yield list(file.schema_arrow.names)
        for block in file.iter_batches():
            yield from zip(*(column.to_pylist() for column in block.columns), strict=True)
    except (OSError, ValueError) as error:  # pyarrow's own errors are either
        raise DataError(f"{path} cannot be read as a Parquet file: {error}") from error


def workbook_rows(path: str | Path) -> Iterator[list[Any]]:
    """The rows of a workbook's first sheet, the header first; empty rows are left out.

    Raises:
        DataError: openpyxl is not installed, or this is no workbook.
    """
    openpyxl = _package("openpyxl", path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # of a stranger's archive of XML files: zipfile's, the parser's, openpyxl's own
        raise DataError(f"{path} cannot be read as an .xlsx workbook: {error}") from error
    try:
        for row in book.worksheets[0].iter_rows(values_only=True):
            if any(cell is not None for cell in row):
                yield list(row)
    finally:
        book.close()


def _package(name: str, path: str | Path) -> Any:
    if not Path(path).is_file():
        raise DataError(f"no file at {path}: give the path of a table")
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise DataError(f"{path} is read by {package}, which is not installed here: {EXTRA}") from error
