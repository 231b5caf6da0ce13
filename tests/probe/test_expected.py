"""The table of kernels: every row with its source, and unknown versions said to be unknown."""

from __future__ import annotations

import pytest
from packaging.version import Version

from preflight.probe.expected import is_in, table


def test_every_row_has_its_source_and_kernels_in_both_directions():
    assert {e.block for e in table().expected} == {b.name for b in table().blocks}
    for row in table().expected:
        assert row.source
        assert row.scan_forward
        assert row.scan_backward
        assert Version(row.since) <= Version(row.until)


def test_a_template_name_of_the_profiler_matches():
    name = "void selective_scan_fwd_kernel<Selective_Scan_fwd_kernel_traits<128, 16, 1, false, true> >(SSMParamsBase)"
    assert is_in("selective_scan_fwd_kernel", [name])


@pytest.mark.parametrize("launched", ["causal_conv1d_channellast_fwd_kernel", "selective_scan_bwd_kernel", ""])
def test_another_kernel_does_not_match(launched):
    assert not is_in("causal_conv1d_fwd_kernel", [launched])


@pytest.mark.parametrize("version", ["2.0.0", "2.2.4", "2.2.6.post3", "2.3.2.post1"])
def test_versions_in_the_table_carry_no_caveat(version):
    row, caveat = table().row("Mamba2", version)
    assert row is not None
    assert caveat == ""


@pytest.mark.parametrize(("version", "said"), [("3.0.0", "no row for Mamba2 of mamba-ssm 3.0.0"), ("", "not known")])
def test_a_version_that_is_not_in_the_table_is_said(version, said):
    row, caveat = table().row("Mamba2", version)
    assert row is not None
    assert said in caveat


def test_a_block_that_is_not_in_the_table_has_no_row():
    assert table().row("Mamba9", "2.3.2")[0] is None


def test_limits_are_stricter_for_the_finer_dtype_and_end_far_below_a_lost_gradient():
    for block in ("Mamba", "Mamba2"):
        fine, coarse = (table().limit(block, dtype, "output") for dtype in ("float32", "bfloat16"))
        assert fine is not None
        assert coarse is not None
        assert fine.relative < coarse.relative < 0.5
    assert table().limit("Mamba", "float8", "output") is None


def test_a_block_that_was_never_measured_has_the_coarse_limit_of_its_dtype():
    limit = table().limit("Mamba9", "float32", "output")
    assert limit is not None
    assert (limit.relative, limit.scale) == (0.05, 0.05)
