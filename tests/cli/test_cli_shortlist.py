"""`diptych shortlist`, and `diptych translate --shortlist`."""

import json


def test_it_is_made_told_and_used(diptych_command, run, tmp_path):
    given = ("shortlist", run.folder, tmp_path / "words", "--backend", "reference", "--best", 3, "--frequent", 2)
    code, out, error = diptych_command(*given)
    assert (code, error) == (0, ""), error
    assert "target words a sentence (" in out
    assert "with the shortlist: BLEU " in out and "with all words: BLEU " in out and "of the tokens are the same" in out
    code, _, error = diptych_command(*given)
    assert code == 2 and "is there already" in error
    options = ("--backend", "reference", "--quiet", "--shortlist", tmp_path / "words")
    code, out, error = diptych_command("translate", run.folder, *options, stdin=b"I feel hungry\n")
    assert (code, out.count("\n"), error) == (0, 1, "")
    code, _, error = diptych_command("translate", run.folder, *options, "--prefix", "a", stdin=b"I feel hungry\n")
    assert code == 2 and error.count("\n") == 1


def test_its_cost_may_be_left_out_and_json_tells_all(diptych_command, run, tmp_path):
    given = ("shortlist", run.folder, tmp_path / "words", "--backend", "reference", "--json")
    told = json.loads(diptych_command(*given, "--no-scores")[1])
    assert told["scores"] is None and told["best"] == 50 and 3 <= told["words_a_sentence"] <= told["vocabulary"]
