"""Whatever language the terminal has, `diptych` reads and writes the same bytes: Korean text, and Korean file names."""

import os
import shutil
import subprocess
import sys

import pytest

PAIRS = "I feel hungry\t배가 고파요\nI feel cold\t추워요\nclose it\t닫아 주세요\nopen it\t열어 주세요\n" * 3
CONFIG = """
[data]
corpus = "files"
train = ["말뭉치.tsv"]
validation = ["말뭉치.tsv"]
test = ["말뭉치.tsv"]

[model]
embedding_size = 4
encoder_size = 3
decoder_size = 5
"""
COMMANDS = {
    "prepare": (["data", "prepare", "설정.toml", "--run", "실행", "--overwrite", "--quiet"], ""),
    "inspect": (["data", "inspect", "말뭉치.tsv"], ""),
    "translate": (["translate", "번역기", "--backend", "reference", "--json"], "I feel hungry\n나는 배고파\n"),
    "error": (["translate", "없는 폴더"], ""),
}


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    """A folder with a Korean name, in which everything has one."""
    folder = tmp_path_factory.mktemp("집")
    (folder / "말뭉치.tsv").write_text(PAIRS, encoding="utf-8")
    (folder / "설정.toml").write_text(CONFIG, encoding="utf-8")
    shutil.copytree(run.folder, folder / "번역기")
    return folder


@pytest.fixture(scope="module")
def languages(tmp_path_factory):
    """By name, the variables of the environment that set a language.

    Where the system cannot make the locale ko_KR.EUC-KR, the streams alone are in it.
    """
    korean = {"PYTHONUTF8": "0", "LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "euc_kr"}
    if shutil.which("localedef"):
        locale = tmp_path_factory.mktemp("locales") / "ko_KR.EUC-KR"
        if not subprocess.run(["localedef", "-i", "ko_KR", "-f", "EUC-KR", locale], capture_output=True).returncode:
            korean = {"PYTHONUTF8": "0", "LC_ALL": "ko_KR.EUC-KR", "LOCPATH": str(locale.parent)}
    return {"UTF-8": {"PYTHONUTF8": "1"}, "C": {"PYTHONUTF8": "0", "LC_ALL": "C"}, "EUC-KR": korean}


@pytest.fixture(scope="module")
def say(folder, languages):
    """Runs a command in a language: exit code and the bytes that it wrote; each once."""
    found = {}

    def say(command, language):
        if (command, language) not in found:
            arguments, text = COMMANDS[command]
            kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHONIOENCODING"))}
            # -P, as the installed command has it: in EUC-KR Python cannot import from a folder with a UTF-8 name.
            finished = subprocess.run(
                [part.encode() for part in (sys.executable, "-P", "-m", "diptych", *arguments)],
                input=text.encode(),
                capture_output=True,
                cwd=folder,
                env=kept | {"COLUMNS": "100"} | languages[language],
                timeout=100,
                check=False,
            )
            found[command, language] = finished.returncode, finished.stdout, finished.stderr
        return found[command, language]

    return say


@pytest.mark.parametrize("language", ["C", "EUC-KR"])
@pytest.mark.parametrize("command", COMMANDS)
def test_the_language_of_the_terminal_changes_nothing(say, folder, command, language):
    expected = say(command, "UTF-8")
    written = (folder / "실행" / "config.toml").read_bytes() if command == "prepare" else b""
    assert say(command, language) == expected
    code, out, error = expected
    assert (code, bool(out)) == {"prepare": (0, False), "error": (1, False)}.get(command, (0, True))
    assert "말뭉치.tsv" in written.decode() or command != "prepare"
    assert "없는 폴더" in error.decode() or command != "error"


def test_python_may_be_told_otherwise_and_it_still_ends(folder, languages):
    """-E keeps it from seeing PYTHONUTF8: it starts itself once more, and then goes on as it is."""
    program = "import sys; sys.path[:0] = sys.argv.pop().split(':'); from diptych.cli import main; sys.exit(main())"
    command = [sys.executable, "-E", "-c", program, "--version", os.environ.get("PYTHONPATH", "")]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUTF8"} | languages["C"]
    finished = subprocess.run(command, capture_output=True, env=environment, timeout=100, check=False)
    assert finished.returncode == 0, finished.stderr
