"""How a member is named, and which members a run refuses."""

import pytest

from diptych.errors import RunError, UsageError
from diptych.translation.members import Member, check_same_languages


@pytest.mark.parametrize(
    ("text", "backend", "which"),
    [
        ("{}", "pytorch", "best"),
        ("{}:tensorflow", "tensorflow", "best"),
        ("{}:reference:latest", "reference", "latest"),
        ("{}::step-00000001", "pytorch", "step-00000001"),
    ],
)
def test_a_member_is_a_run_a_backend_and_a_checkpoint(runs, text, backend, which):
    member = Member.open(text.format(runs[0].folder), "pytorch")
    assert (member.run.folder, member.backend, member.which) == (runs[0].folder, backend, which)


def test_a_folder_with_colons_is_a_folder(make_run, tmp_path):
    run = make_run(tmp_path / "a:tensorflow")
    assert Member.open(str(run.folder), "pytorch").backend == "pytorch"
    assert Member.open(f"{run.folder}:reference", "pytorch").run.folder == run.folder


def test_what_names_no_member_is_refused(runs, tmp_path):
    with pytest.raises(UsageError, match=r"not RUN\[:BACKEND\[:CHECKPOINT\]\] with one of the backends tensorflow"):
        Member.open(f"{runs[0].folder}:jax", "pytorch")
    with pytest.raises(RunError, match="no run at .*nowhere"):
        Member.open(f"{tmp_path}/nowhere", "pytorch")
    with pytest.raises(RunError, match="no run at .*nowhere"):
        Member.open(f"{tmp_path}/nowhere:pytorch", "pytorch")


def test_other_vocabularies_are_refused_by_run_side_and_token(make_run, runs, tmp_path):
    check_same_languages(runs[0], runs[1])
    other = make_run(tmp_path / "other", seed=1, maximum_vocabulary=9)
    message = f"{other.folder} cannot be in an ensemble with {runs[0].folder}: their source vocabularies differ, first"
    with pytest.raises(RunError, match=message) as caught:
        check_same_languages(runs[0], other)
    token = runs[0].source_vocabulary.tokens[9]
    assert f"at id 9, which is no token there and {token!r} here" in str(caught.value)


def test_other_tokenizers_are_refused_even_with_the_same_vocabulary(make_run, tmp_path):
    lines = tmp_path / "pairs.tsv"
    lines.write_text("a b\tx y\nb a\ty x\n", encoding="utf-8")
    files = {"corpus": "files", "train": (str(lines),), "validation": (str(lines),), "test": (str(lines),)}
    one, other = (make_run(tmp_path / str(lower), **files, lowercase_target=lower) for lower in (False, True))
    with pytest.raises(RunError, match=r"their target tokenizers differ, .*lowercase=True.* there and .*=False.* here"):
        check_same_languages(one, other)
