"""Faults lie on the side of the effect that their name says, and a seed draws the same again."""

from typing import Any

import httpx
import pytest
import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError

from tests.weir.sandbox.conftest import Serve, Served, until
from weir.sandbox.faults import LOST, MONEY_PATHS, SEEDED_ODD, Fault, Faults

REPAY = "/v5/crypto-loan-flexible/repay"


def arm(served: Served, **order: Any) -> httpx.Response:
    return httpx.post(f"{served.url}/sandbox/faults", json={"path": REPAY} | order)


def repaid(served: Served) -> list[str]:
    return [row["amount"] for row in served.books()["accounts"]["100001"]["repays"]]


@pytest.mark.parametrize(
    ("kind", "error", "effects"),
    [
        ("drop_before", requests.exceptions.ConnectionError, []),
        ("drop_after", requests.exceptions.ConnectionError, ["5"]),
        ("http_500_after", FailedRequestError, ["5"]),
        ("bad_json_after", FailedRequestError, ["5"]),
        ("reset_mid_body", requests.exceptions.ChunkedEncodingError, ["5"]),
        ("refuse", InvalidRequestError, []),
    ],
)
def test_commanded_faults(
    serve: Serve, kind: str, error: type[Exception], effects: list[str]
) -> None:
    served = serve()
    client = served.client()
    assert arm(served, kind=kind).status_code == 200
    with pytest.raises(error):
        client.repay_flexible_crypto_loan(loanCurrency="USDT", amount="5")
    assert repaid(served) == effects
    client.repay_flexible_crypto_loan(loanCurrency="USDT", amount="6")
    assert repaid(served) == [*effects, "6"]
    assert served.books()["faults"] == {"armed": [], "fired": {kind: 1}}


def test_a_delayed_answer_comes_after_the_effect(serve: Serve) -> None:
    served = serve()
    arm(served, kind="delay", delay_ms=600)
    with pytest.raises(requests.exceptions.ReadTimeout):
        served.client(timeout=0.3).repay_flexible_crypto_loan(loanCurrency="USDT", amount="5")
    assert repaid(served) == ["5"]


def test_times_path_and_code(serve: Serve) -> None:
    served = serve()
    client = served.client()
    arm(served, path="*", kind="refuse", times=2, ret_code=148021)
    for _ in range(2):
        with pytest.raises(InvalidRequestError) as refused:
            client.repay_flexible_crypto_loan(loanCurrency="USDT", amount="5")
        assert refused.value.status_code == 148021
        client.get_position_new_crypto_loan()
    client.repay_flexible_crypto_loan(loanCurrency="USDT", amount="5")
    assert repaid(served) == ["5"]


def test_a_fault_that_is_none_is_refused(serve: Serve) -> None:
    served = serve()
    answer = arm(served, kind="explode")
    assert answer.status_code == 422
    assert "'explode'" in answer.text
    assert arm(served, kind="delay", times=0).status_code == 422
    assert arm(served, kind="partial_fill").status_code == 422
    assert arm(served, path="/v5/order/cancel", kind="late_row").status_code == 422
    arm(served, kind="drop_after")
    assert httpx.delete(f"{served.url}/sandbox/faults").json()["armed"] == []


def test_the_seed_draws_the_same_faults() -> None:
    def drawn(seed: int) -> list[str]:
        faults = Faults(seed, 0.3)
        taken = [faults.take("POST", REPAY) for _ in range(400)]
        return [fault.kind if fault else "" for fault in taken]

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)
    assert set(drawn(7)) == {"", *LOST, *SEEDED_ODD}
    assert 70 < sum(1 for kind in drawn(7) if kind) < 170


def test_only_money_is_hit_by_seed() -> None:
    faults = Faults(1, 1.0)
    assert faults.take("GET", REPAY) is None
    assert faults.take("POST", "/v5/market/time") is None
    for path in MONEY_PATHS:
        assert isinstance(faults.take("POST", path), Fault)


def rows_listed(served: Served) -> list[str]:
    client = served.client()
    listed = client.get_repayment_history_flexible_crypto_loan(loanCurrency="USDT")
    return [row["repayAmount"] for row in listed["result"]["list"]]


def test_a_late_row_is_listed_later(serve: Serve) -> None:
    served = serve()
    arm(served, kind="late_row", delay_ms=300)
    served.client().repay_flexible_crypto_loan(loanCurrency="USDT", amount="5")
    assert (repaid(served), rows_listed(served)) == (["5"], [])
    until(lambda: rows_listed(served) == ["5"], "row listed")


def test_a_duplicate_row_is_listed_twice(serve: Serve) -> None:
    served = serve()
    arm(served, kind="duplicate_row")
    served.client().repay_flexible_crypto_loan(loanCurrency="USDT", amount="5")
    assert (repaid(served), rows_listed(served)) == (["5"], ["5", "5"])


def test_processing_for_ever_takes_the_money_and_repays_nothing(serve: Serve) -> None:
    served = serve()
    arm(served, kind="processing")
    served.client().repay_flexible_crypto_loan(loanCurrency="USDT", amount="5")
    book = served.books()["accounts"]["100001"]
    assert [row["status"] for row in book["repays"]] == [2]
    assert book["loan"]["in_process"] == {"USDT": "5"}
    assert book["loan"]["debts"]["USDT"]["total"] == "48012.3456789"


def test_a_lost_answer_may_leave_a_late_row_besides(serve: Serve) -> None:
    served = serve()
    arm(served, kind="drop_after", odd="late_row", delay_ms=300)
    with pytest.raises(requests.exceptions.ConnectionError):
        served.client().repay_flexible_crypto_loan(loanCurrency="USDT", amount="5")
    assert (repaid(served), rows_listed(served)) == (["5"], [])
    until(lambda: rows_listed(served) == ["5"], "row listed")
    assert arm(served, kind="refuse", odd="late_row").status_code == 422
