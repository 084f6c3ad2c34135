"""Price files of every layout, the built-in path, and what a bad line says."""

from pathlib import Path

import pytest

from weir.sandbox.catalogue import SYMBOLS
from weir.sandbox.money import e8
from weir.sandbox.prices import built_in, read_prices

BTC = SYMBOLS["BTCUSDT"]


def written(folder: Path, content: str) -> Path:
    file = folder / "prices.csv"
    file.write_text(content)
    return file


@pytest.mark.parametrize("time_column", ["open_time_utc", "date"])
def test_reads_four_points_of_each_candle(tmp_path: Path, time_column: str) -> None:
    file = written(
        tmp_path,
        f"{time_column},open,high,low,close,volume\n"
        "2022-12-13T00:00:00Z,17194,17199.5,17193.5,17199,78.677\n"
        "2022-12-13T00:01:00Z,17199,17212.54,17190,17191.25,153.152\n",
    )
    path = read_prices(file, BTC)
    assert path.rows == 2
    assert path.points_e8 == tuple(
        e8(price)
        for price in (
            "17194",
            "17193.5",
            "17199.5",
            "17199",
            "17199",
            "17212.5",
            "17190",
            "17191.2",
        )
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("open_time_utc,open,high,low\n", "no column 'close'"),
        ("date,open,high,low,close\n", "no candles"),
        ("date,open,high,low,close\nx,1,2,1,abc\n", "line 2, close: not a price: 'abc'"),
        ("date,open,high,low,close\nx,1,2,0,1\n", "line 2, low: not a price: '0'"),
        ("date,open,high,low,close\nx,1,NaN,1,1\n", "line 2, high: not a price: 'NaN'"),
        ("date,open,high,low,close\nx,1,2\n", "line 2, low: not a price: None"),
    ],
)
def test_says_what_is_wrong_in_a_file(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_prices(written(tmp_path, content), BTC)


def test_the_built_in_path_is_the_seeds() -> None:
    path = built_in(BTC, e8("60000"), 200, seed=4)
    assert path == built_in(BTC, e8("60000"), 200, seed=4)
    assert path != built_in(BTC, e8("60000"), 200, seed=5)
    assert path.rows == 200
    assert all(price > 0 and price % BTC.tick_e8 == 0 for price in path.points_e8)
    assert len(set(path.points_e8)) > 100
