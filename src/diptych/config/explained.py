"""A config whose every key says what it means: what `diptych config` prints and configs/phrasebook.toml holds."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.config.keys import TABLES, Key, keys, sections
from diptych.config.toml import comment, to_toml

HEAD = (
    "English to Korean, on the phrasebook that Diptych makes itself: what `diptych compare` trains without a config. "
    "Every key there is stands here with its default; a config of your own needs only the keys that differ. In "
    "brackets: what it counts, and which values it may have. This is what `diptych config` prints."
)


def explained_config() -> str:
    """The default config as TOML, each key below a comment on its meaning, unit and choices."""
    lines = [*comment(HEAD), ""]
    for key in keys().values():
        if not key.section:
            lines += explained_key(key)
    for section in sections():
        lines += ["", *explained_section(section)]
    return "\n".join(lines) + "\n"


def explained_section(section: str) -> list[str]:
    """A section's lines, its head included."""
    lines = [*comment(sections()[section]), f"[{section}]"]
    for key in keys().values():
        if key.section == section:
            lines += explained_key(key)
    return lines


def explained_key(key: Key) -> list[str]:
    """A key's lines; what may be left out, and what is a table of its own, is a comment."""
    name = key.name.rpartition(".")[2]
    if key.name in TABLES:
        return [*comment(key.meaning), f"# [[{key.name}]]", *_table(key.name)]
    if key.default is None:
        return [*comment(key.explain(example=False)), f"# {name} = {to_toml(key.example)}"]
    return [*comment(key.explain()), f"{name} = {to_toml(key.default)}"]


def _table(name: str) -> Iterator[str]:
    """The lines of a table that a config may hold several times, as comments."""
    for key in keys().values():
        if key.section == name:
            yield from (f"# {line}" for line in comment(key.explain(example=False), 118))
            yield f"# {key.name.rpartition('.')[2]} = {to_toml(key.default if key.example is None else key.example)}"
