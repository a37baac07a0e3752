"""UTF-8 whatever the terminal's language: file names in, text out."""

from __future__ import annotations

import os
import sys


def use_utf8() -> None:
    """Make this program read its arguments and file names, and write its text, in UTF-8, as all its files are.

    A language like ko_KR.EUC-KR or C gives Python another encoding, in which a Korean path cannot be found or printed.
    File names can only be changed before Python starts, so it is started once more, in the same process. On Windows
    file names are Unicode, and only what is printed has to be changed.
    """
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        command = [_as_given(part) for part in (sys.executable, *sys.orig_argv[1:])]
        os.execv(command[0], command)
    # Bytes of a name that are no UTF-8 are written as they are; on standard error, where people read, by their numbers.
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        reconfigure = getattr(stream, "reconfigure", None)  # None where somebody has put another stream in its place
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors=errors)


def _as_given(argument: str) -> bytes:
    """The bytes of an argument, which Python has read as the C library does: `os.fsencode` may know another EUC-KR."""
    import ctypes  # only here: the help is to be there at once

    encode = ctypes.pythonapi.Py_EncodeLocale
    encode.argtypes, encode.restype = (ctypes.c_wchar_p, ctypes.c_void_p), ctypes.c_char_p
    encoded: bytes | None = encode(argument, None)
    return os.fsencode(argument) if encoded is None else encoded
