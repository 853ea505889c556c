"""Comparing and judging: known differences against known limits. Nothing is faked."""

import math

import pytest
import torch

from x2sam.eval.golden_report import SKIPPED, TOLERANCES, Report


def judged(name, ours, recorded, file="tasks/vid_x.tensor"):
    report = Report()
    report.compare(file, name, ours, recorded)
    (row,) = report.rows.values()
    return row


def test_the_largest_difference_counts():
    row = judged("mlm_projector.call0.in", torch.tensor([0.0, 2e-4]), torch.zeros(2))
    assert row.largest == pytest.approx(2e-4)
    assert row.mean == pytest.approx(1e-4)
    assert not row.passed
    assert row.worst == "mlm_projector.call0.in"
    assert "FAIL mlm_projector.call0.in" in str(row)
    assert judged("mlm_projector.call0.in", torch.tensor([0.0, 0.9e-4]), torch.zeros(2)).passed


def test_a_mean_has_its_own_limit():
    zeros = torch.zeros(100)
    one_off = zeros.clone()
    one_off[0] = 0.09
    assert judged("decoder.frame3.mask_logits", one_off, zeros).passed
    assert not judged("decoder.frame3.mask_logits", zeros + 0.002, zeros).passed


def test_integers_are_exact():
    ids = torch.tensor([[5, 7]])
    assert judged("in.input_ids", ids, ids).passed
    assert not judged("in.input_ids", ids + 1, ids).passed


@pytest.mark.parametrize("ours", [None, torch.zeros(3), torch.tensor([math.nan, 0.0])])
def test_missing_misshaped_and_undefined_values_fail(ours):
    assert not judged("gen.logits", ours, torch.zeros(2)).passed


def test_axes_of_length_one_are_free():
    assert judged("gen.logits", torch.ones(2, 3), torch.ones(1, 2, 1, 3)).passed


def test_a_name_that_no_row_knows_fails_even_when_equal():
    row = judged("surprise", torch.ones(1), torch.ones(1))
    assert row.tolerance.group == "unknown tensor"
    assert not row.passed


def test_a_file_is_compared_by_name_and_inputs_are_passed_over():
    report = Report()
    recorded = {"emb": torch.ones(2), "base.x": torch.ones(2), "pad.x": torch.ones(2)}
    report.file("units/process_embeds", {"base.x": torch.ones(2)}, recorded)
    assert report.passed
    assert [row.tensors for row in report.rows.values()] == [1]
    assert "not compared, 1 tensors: an option" in report.table()


def test_nothing_compared_is_no_success():
    report = Report()
    assert not report.passed
    assert report.summary().endswith("nothing here")


def test_patterns_say_file_and_tensor():
    assert all(":" in row.pattern or row.pattern == "units/" for row in (*SKIPPED, *TOLERANCES))
