from __future__ import annotations

import random
from decimal import Decimal

import pytest

from preflight.cost.rates import CPU, MEMORY, RateRefused, Rates, gpu_key, listed

A100 = "gpu_hour_cost_a100_80gb"
REFUSED = [
    "",
    " ",
    "abc",
    "2.50 USD",
    "2.50 EUR",
    "$2.50",
    "2,50",
    "0.000694/s",
    "2.50/h",
    "1e99",
    "1e400",
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "inf",
    "-2.50",
    "+2.50",
    "2_500",
    "２.50",
    "0x2",
    "2.5.0",
    True,
    False,
    None,
    [],
    [2.5],
    {"usd": 2.5},
    b"2.5",
    -2.5,
    float("nan"),
    float("inf"),
    1e99,
    10**5000,
    10**13,
    Decimal("NaN"),
    Decimal("-0.01"),
    Decimal("Infinity"),
    Decimal("1e99"),
    Decimal("1e-999999"),
    Decimal("0e-999999"),
    Decimal("2.50000000000000000000000000001"),
    0,
    "0",
    "0.0",
    # another unit: by the second, by the minute, by the day, by the month, in cents
    "0.000694",
    "0.0417",
    "60",
    "1825",
    "250",
]


@pytest.mark.parametrize("value", REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_amount_of_dollars_an_hour_is_refused_by_name(value: object) -> None:
    with pytest.raises(RateRefused, match=A100):
        Rates({A100: value}, "live").of(A100)


@pytest.mark.parametrize("value", ["2.50", "2.5", 2.5, 3, Decimal("2.50"), "5.59", "2", 2.4999])
def test_what_is_one_is_taken_as_it_stands(value: object) -> None:
    assert Rates({A100: value}, "live").of(A100) == Decimal(str(value))


def test_a_thousand_hostile_maps_give_an_amount_or_a_refusal_and_nothing_else() -> None:
    rng = random.Random(7)
    letters = "0123456789.eE+-$€ /hNaInfinity_,%"
    for _ in range(1000):
        value = "".join(rng.choices(letters, k=rng.randint(0, 9)))
        try:
            usd = Rates({A100: value}, "live").of(A100)
        except RateRefused:
            continue
        assert value == str(value).strip()
        assert value.replace(".", "", 1).isdecimal()
        assert Decimal("0.125") <= usd <= 50


def test_a_rate_that_is_missing_is_refused_and_not_taken_from_the_list() -> None:
    with pytest.raises(RateRefused, match="no rate gpu_hour_cost_h100 in Modal's live rates"):
        Rates({CPU: "0.0473"}, "live").of("gpu_hour_cost_h100")


def test_a_bad_row_is_no_matter_to_a_run_that_does_not_use_it() -> None:
    rates = Rates({CPU: "0.0473", "gpu_hour_cost_h200": "n/a", "regions": {"us": 1.25}}, "live")
    assert rates.of(CPU) == Decimal("0.0473")


def test_a_gpu_that_the_list_does_not_know_is_priced_by_its_live_rate() -> None:
    assert Rates({"gpu_hour_cost_r300": "9.90"}, "live").of("gpu_hour_cost_r300") == Decimal("9.90")


def test_a_new_gpu_priced_by_the_second_is_refused() -> None:
    with pytest.raises(RateRefused, match="another unit"):
        Rates({"gpu_hour_cost_r300": "0.00275"}, "live").of("gpu_hour_cost_r300")


@pytest.mark.parametrize("key", [CPU, MEMORY])
def test_cores_and_memory_may_be_free(key: str) -> None:
    assert Rates({key: "0"}, "live").of(key) == 0


@pytest.mark.parametrize(
    ("gpu", "key"),
    [
        ("A100", "a100_40gb"),
        ("A100-40GB", "a100_40gb"),
        ("A100-80GB", "a100_80gb"),
        ("a100-80gb", "a100_80gb"),
        ("A10", "a10g"),
        ("A10G", "a10g"),
        ("H100!", "h100"),
        ("B200+", "b200"),
        ("RTX-PRO-6000", "rtx6000"),
        ("L40S", "l40s"),
    ],
)
def test_a_gpu_is_priced_by_modals_own_key(gpu: str, key: str) -> None:
    assert gpu_key(gpu) == "gpu_hour_cost_" + key


def test_every_rate_of_the_list_is_one_and_the_list_says_its_date() -> None:
    rates = listed()
    assert all(rates.of(key) > 0 for key in rates.rows)
    assert rates.source == "the built-in list of 2026-09-30"
