"""The table of public reports in docs/convert.md, in both languages, says what `certify` says; each has its test."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
PAGES = {DOCS / "convert.md": "## Public reports", DOCS / "ko" / "convert.md": "## 공개된 이슈"}


def module(name):
    specification = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    made = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(made)
    return made


# By report: the test of its right value, and the report as which the mistake is planted; None where no pair of models
# shows it, for the reason that the table gives.
REPORTS = {
    "keras#15915": ("test_rows_r_z_n_become_columns_z_r_h", "keras#15915"),
    "stackoverflow 48361376": (
        "test_four_arrays_of_a_direction_are_three_in_keras", "stackoverflow.com/questions/48361376"),
    "discuss.pytorch.org 6630": (
        "test_the_two_kinds_of_gru_are_two_functions_and_stay_so", "discuss.pytorch.org/t/6630"),
    "keras#9463": ("test_cudnn_weights_are_read_as_cudnn_reads_them", "keras#9463"),
    "tf#29308": ("test_the_order_of_tensorflow_1_and_its_forget_bias", "tf#29308"),
    "keras#3088": ("test_twelve_arrays_of_keras_1_lie_in_the_order_i_c_f_o", "keras#3088"),
    "tf#6072, #20571": ("test_a_buffer_of_cudnn_is_refused", "tf#6072"),
    "coremltools#1124, #1123": (
        "test_the_two_kinds_of_gru_are_two_functions_and_stay_so", "apple/coremltools#1124"),
    "keras#1431, #3163, #3448": ("test_go_backwards_leaves_its_outputs_reversed", "keras#1431"),
    "onnx-tf#409": ("test_the_mistake_of_a_report_is_named", "onnx-tf#409"),
    "tf2onnx#1871": ("test_a_mask_with_a_hole_skips_the_step", "tf2onnx#1871"),
    "tf#43103, #36139": ("test_a_row_that_is_masked_from_end_to_end_keeps_its_state", "tf#43103"),
    "tfjs#2279, keras-js#129": ("test_both_directions_stop_at_the_padding", "tensorflow/tfjs#2279"),
    "pytorch#4582": ("test_a_written_module_takes_any_batch_and_rows_without_a_step", "pytorch#4582"),
    "pytorch#45653, onnx#3182, ort#19270": (
        "test_what_stays_fixed_or_random_in_a_module_is_refused", "pytorch#45653"),
    "keras#11275, pyopia#159": ("test_a_sequential_config_may_be_a_list", None),
    "tf#65381, keras PR 19477": ("test_hard_sigmoid_is_that_of_the_version", "tf#65381"),
    "keras#8957": (
        "test_weights_that_were_never_loaded_are_named", "keras#8957"),
    "EasyOCR#1009, argoverse#7": ("test_a_class_of_the_users_own", "EasyOCR#1009"),
    "bilm-tf#96, allennlp#2062": (
        "test_a_cell_in_a_loop_is_read_with_all_that_its_operators_say", "allenai/bilm-tf#96"),
    "tf PR 15861, addons PR 210, pytorch#11335": (
        "test_certify_refuses_a_cell_whose_formula_is_not_known", None),
    "keras#19993": ("test_certify_says_what_it_does_not_speak_for", None),
    "pytorch#94754 and others": (
        "test_a_device_that_computes_otherwise_is_no_party_to_a_certificate", None),
    "keras#23462": ("test_the_states_of_a_stateful_layer_go_in_and_come_out", "keras#23462"),
    "Paddle#18418": (
        "test_paddle_18418_gate_order_and_hard_sigmoid_together", "PaddlePaddle/Paddle#18418"),
}  # fmt: skip
NO_PAIR = {"docs": "no pair:", "ko": "견줄 짝이 없음:"}
TESTS = ("test_reports", "test_old_keras_files", "tf1/test_reading", "../cli/test_cli_convert")


def rows(page):
    """The rows of the table: report, what Diptych says."""
    text = page.read_text(encoding="utf-8").partition(PAGES[page])[2].partition("\n## ")[0]
    found = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0].partition(": ")[0]: row[1] for row in found[1:]}


@pytest.mark.parametrize("page", PAGES, ids=["english", "korean"])
def test_the_table_has_all_reports_in_order(page):
    assert list(rows(page)) == list(REPORTS)
    assert len(REPORTS) == 25


def test_each_report_has_a_test_of_its_right_value():
    code = "".join((HERE / f"{name}.py").read_text(encoding="utf-8") for name in TESTS)
    assert [name for name, _ in REPORTS.values() if f"def {name}(" not in code] == []


@pytest.mark.parametrize("page", PAGES, ids=["english", "korean"])
def test_what_certify_is_quoted_with_is_what_it_says(page):
    planted = module("test_reports").SAID
    for report, said in rows(page).items():
        _, thread = REPORTS[report]
        quotes = re.findall(r'"([^"]+)"', said.partition("certify: ")[2])
        sentences = planted[thread] if thread else []
        assert bool(quotes) == bool(thread), report
        assert (NO_PAIR[page.parent.name] in said) != bool(thread), report
        assert [quote for quote in quotes if not any(quote in sentence for sentence in sentences)] == [], report
