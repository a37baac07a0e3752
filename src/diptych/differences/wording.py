"""The words of docs/differences.md around the entries' own, in English and in Korean."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace

from diptych.differences.entry import TOPICS, Entry
from diptych.errors import ConfigError

TEXTS = ("title", "what", "why", "bridge", "unit")
"""What an entry's korean.toml says; its unit has a {} where the number stands."""


@dataclass(frozen=True)
class Wording:
    """A language's words, and how an entry's own are had in it.

    Attributes:
        page: the page's path below docs/.
        sources: where src/ is, seen from that page.
        introduction: the page's head.
        measured: the line with {versions} and {machine}.
        columns: the heads of the table at the top.
        topics: the sections' titles, by topic.
        labels: what stands before why, bridge, effect and programs.
        effect: the sentence of an entry's {effect}, that is the number in its unit, and of how far it is {bridged}.
        bridged: how the bridged {number} is told.
        of: an entry with its texts in this language, its unit with a {} for the number.
    """

    page: str
    sources: str
    introduction: str
    measured: str
    columns: str
    topics: dict[str, str]
    labels: tuple[str, str, str, str]
    effect: str
    bridged: str
    of: Callable[[Entry], Entry]


def in_korean(entry: Entry) -> Entry:
    """The entry with its texts from korean.toml in its folder.

    Raises:
        ConfigError: there is no such file, a text is missing or unknown, or the unit has no place for the number.
    """
    path = entry.folder / "korean.toml"
    if not path.is_file():
        raise ConfigError(f"{path} is not there; write {', '.join(TEXTS)} in Korean, as entry.toml has them in English")
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    if set(values) != set(TEXTS):
        raise ConfigError(f"{path}: has {', '.join(values)}; write each of: {', '.join(TEXTS)}")
    if values["unit"].count("{}") != 1:
        raise ConfigError(f"{path}: unit = {values['unit']!r} has not one {{}}; write one where the number stands")
    title, what, why, bridge, unit = (" ".join(str(values[key]).split()) for key in TEXTS)
    return replace(entry, title=title, what=what, why=why, bridge=bridge, unit=unit)


ENGLISH = Wording(
    page="differences.md",
    sources="../src",
    introduction="""\
# Where Keras on TensorFlow and PyTorch part ways

<!-- Written by `python -m diptych.differences.document`; change the entries in src/diptych/differences instead. -->

Carry a recurrent model from one framework to the other line by line, and it computes something else. Each entry here is
one reason, shown by two short programs of stock code, one in each framework, that can be run on their own. *Effect* is
how far their results are apart, *bridged* how far once the difference is dealt with in the way Diptych does (a ratio is
then 1). `diptych differences` runs them all on your machine, `diptych differences NAME` one of them.
""",
    measured="Measured with {versions} on {machine}, on the CPU, one thread for each framework.\n",
    columns="| entry | difference | effect | bridged |",
    topics=TOPICS,
    labels=("*Why.*", "*Bridge.*", "*Effect.*", "Programs:"),
    effect="{effect}{bridged}.",
    bridged="; bridged: {number}",
    of=lambda entry: replace(entry, unit=f"{{}} {entry.unit}"),
)

KOREAN = Wording(
    page="ko/differences.md",
    sources="../../src",
    introduction="""\
# Keras(TensorFlow)와 PyTorch가 갈라지는 곳

<!-- Written by `python -m diptych.differences.document`; change the entries in src/diptych/differences instead. -->

순환 신경망 모델을 한 프레임워크에서 다른 프레임워크로 한 줄씩 옮기면 다른 값이 나옵니다. 아래의 항목은 저마다
그 이유 하나이고, 순정 코드로 쓴 짧은 프로그램 두 개가 프레임워크마다 하나씩 그것을 보여 줍니다. 프로그램은 따로
실행할 수 있습니다. *크기*는 두 결과가 얼마나 다른지를, *해결 후*는 Diptych가 하는 방법으로 차이를 없앤 뒤에 얼마나
다른지를 나타냅니다(비율이라면 1이 됩니다). `diptych differences`는 모든 항목을 여러분의 컴퓨터에서 실행하고,
`diptych differences NAME`은 그 가운데 하나를 실행합니다.
""",
    measured="측정 환경: {versions}, {machine}, CPU, 프레임워크마다 스레드 하나\n",
    columns="| 항목 | 차이 | 크기 | 해결 후 |",
    topics={
        "weights": "가중치와 초깃값",
        "sequences": "시퀀스, 패딩, 상태",
        "layers": "층, 마스크, 모드",
        "loss": "손실",
        "optimizer": "그래디언트와 최적화기",
        "randomness": "난수와 데이터의 순서",
        "precision": "정밀도",
        "tutorials": "널리 알려진 튜토리얼의 두 가지 실수",
    },
    labels=("*이유.*", "*해결.*", "*크기.*", "프로그램:"),
    effect="{effect}{bridged}입니다.",
    bridged=", 해결한 뒤에는 {number}",
    of=in_korean,
)
