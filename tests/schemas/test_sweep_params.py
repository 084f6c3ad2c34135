"""The parameters of a sweep: as text and back, whatever is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.jsonform import Invalid
from schemas.money import E18
from schemas.sweep_params import SweepParams

TEXT = st.text(max_size=8)
MAYBE = st.none() | st.integers(0, 10**22)
PARAMS = st.builds(
    SweepParams,
    direction=st.sampled_from(["OUT", "BACK"]),
    target_product=TEXT,
    value_day=st.integers(0, 100_000),
    cutoff_ms=st.integers(0, 10**13),
    source_account=TEXT,
    counterparty=TEXT,
    counterparty_name=TEXT,
    var_limit_bps_e18=st.integers(0, 10**22),
    observed_var_bps_e18=MAYBE,
    window=TEXT,
    instrument=st.none() | TEXT,
    matures_day=st.none() | st.integers(0, 100_000),
    discount_rate_e18=st.none() | st.integers(0, E18),
)


@given(PARAMS)
def test_text_and_back(params: SweepParams) -> None:
    said = params.text()
    assert all(isinstance(value, str) for value in said.values())
    assert SweepParams.of(said) == params


def test_what_is_missing_or_wrong_is_named() -> None:
    said = SweepParams("OUT", "FED_RRP", 1, 2, "3", "b/4", "", 5, None, "w").text()
    with pytest.raises(KeyError, match="cutoff_utc"):
        SweepParams.of({name: text for name, text in said.items() if name != "cutoff_utc"})
    with pytest.raises(Invalid, match="value_date"):
        SweepParams.of(said | {"value_date": "soon"})
    with pytest.raises(ValueError, match="decimal"):
        SweepParams.of(said | {"var_limit_bps": "ten"})
