"""The report of a comparison: well formed, whole, the same bytes, and safe with hostile names."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from lxml import etree
from msgspec.structs import replace
from typer.testing import CliRunner

from schemas.money import E18
from schemas.policy import Policy, from_yaml
from tests.weir import steady
from tests.weir.backtest.lists import WIRE
from weir.backtest import Comparison, compare, find
from weir.backtest.compare import paired
from weir.backtest.course import Day, Decided, Totals
from weir.cli import app
from weir.htmlreport import DECISIONS_MAX, About, render
from weir.verbs.inputs import log_of

XHTML = "{http://www.w3.org/1999/xhtml}"
DAYS = 4
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</title><script>alert("$x$")</script>&amp; ]]>'
ABOUT = About("Kafka", "weir policy diff A B", Policy(), from_yaml(steady.policy("27")))


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return steady.folder(tmp_path_factory.mktemp("steady") / "lines", DAYS, steady.policy("90"))


@pytest.fixture(scope="module")
def both(lines: Path) -> Comparison:
    with log_of([lines], WIRE) as log:
        return compare(log, WIRE, find("seed-v1", log, WIRE), find("opt-v1", log, WIRE))


@pytest.fixture(scope="module")
def page(both: Comparison) -> str:
    return render(both, ABOUT)


def text_of(page: str) -> str:
    """What a reader sees; whitespace runs as one."""
    body = etree.fromstring(page.encode()).find(f"{XHTML}body")
    return " ".join("".join(body.itertext()).split())


@pytest.mark.req("E-4")
def test_it_says_both_totals_and_their_difference(both: Comparison, page: str) -> None:
    tree = etree.fromstring(page.encode())
    rows = {
        "".join(row.find(f"{XHTML}th").itertext()): [
            (cell.get("title"), "".join(cell.itertext())) for cell in row.findall(f"{XHTML}td")
        ]
        for row in tree.iter(f"{XHTML}tr")
        if row.find(f"{XHTML}td") is not None
    }
    left, right = both.left.totals[0], both.right.totals[0]
    (_, first), (_, second), (_, difference), _ = rows["Orders that went out"]
    assert (first, second) == (str(left.orders), str(right.orders))
    assert difference in ("same", f"{right.orders - left.orders:+}".replace("-", "−"))
    (exact, shown), *_, (_, unit) = rows["− repaid"]
    assert (exact, unit) == (str(left.repaid_e18 // E18), "USDT")
    assert shown == f"{left.repaid_e18 / E18:,.2f}"


@pytest.mark.req("E-4")
def test_it_says_range_policies_hashes_assumptions_and_how_to_repeat_it(
    both: Comparison, page: str
) -> None:
    said = text_of(page)
    for part in (
        "opt-v1 against seed-v1",
        "2026-01-01 to 2026-01-04, 3 days, 1 account",
        "weir policy diff A B",
        "Decisions that differ",
        "the loan costs more than collateral yields",
        "What is assumed",
        "weir 0.1.0",
        *both.left.assumptions,
    ):
        assert part in said
    assert len(re.findall(r"\b[0-9a-f]{64}\b", said)) == 2


def test_it_stands_alone_and_is_the_same_again(both: Comparison, page: str) -> None:
    assert render(both, ABOUT) == page
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert "url(http" not in page
    names = [one.get("id") for one in etree.fromstring(page.encode()).iter() if one.get("id")]
    assert len(names) == len(set(names))
    for target in re.findall(r"(?:href=\"|url\()#([^\")]+)", page):
        assert target in names


def test_plots_speak_to_those_who_do_not_see_them(page: str) -> None:
    drawings = list(etree.fromstring(page.encode()).iter(f"{SVG}svg"))
    titles = ["".join(one.find(f"{SVG}title").itertext()) for one in drawings]
    assert "Repaid, summed up, USDT" in titles
    assert "Highest loan to value, %" in titles
    for one in drawings:
        title, words = (one.find(f"{SVG}{name}") for name in ("title", "desc"))
        assert one.get("role") == "img"
        assert one.get("aria-labelledby") == f"{title.get('id')} {words.get('id')}"
        assert "from " in words.text
    assert "margin call 87.00 %" in page
    assert "liquidation 95.00 %" in page
    assert "#0102" not in page  # every stand-in has become a colour of the page


def test_a_hostile_name_is_text(both: Comparison) -> None:
    hostile = replace(both, right=replace(both.right, policy=HOSTILE, assumptions=(HOSTILE,)))
    page = render(hostile, ABOUT._replace(command=HOSTILE, source=HOSTILE))
    assert "<script" not in page
    assert HOSTILE.partition("]]")[0].replace("&amp;", "&amp;").strip() in text_of(page)
    titles = [one.text for one in etree.fromstring(page.encode()).iter(f"{XHTML}title")]
    assert titles == [f"{HOSTILE} against seed-v1, 2026-01-01 to 2026-01-04"]


def test_numbers_are_separated_signed_and_never_shown_as_nothing(both: Comparison) -> None:
    totals = Totals(steady.ACCOUNT, debt_end_e18=-1_234_567_891 * E18 // 1000, repaid_e18=1)
    moved = paired(both.left, replace(both.right, totals=(totals,)))
    page = render(moved, ABOUT)
    assert "−1,234,567.89" in page
    assert ">0.000000000000000001<" in page


def test_a_bank_account_has_its_own_plots_and_currency(both: Comparison) -> None:
    days = tuple(
        Day(f"2026-01-{n:02d}", "bank:1", equity_e18=n * E18, net_e18=2 * n * E18, placed_e18=n)
        for n in range(1, 4)
    )
    order = Decided(
        at_ms=steady.T0_MS,
        account_id="bank:1",
        what="sweep",
        decision_id="d",
        rule="sweep-seed-v1",
        action="SWEEP",
        reason="",
        available_e18=9 * E18,
        placed_e18=7 * E18,
        product="TBILL_4W",
    )
    one = replace(both.left, totals=(Totals("bank:1", orders=1),), days=days, decisions=(order,))
    other = replace(one, policy="other", decisions=())
    about = ABOUT._replace(right=from_yaml("accounts: [{account_id: 'bank:1', kind: bank}]"))
    said = text_of(render(paired(one, other), about))
    assert "Balance of the account USD" in said
    assert "place 7.00 USD in TBILL_4W" in said
    assert "no decision at this time" in said
    assert "loan to value" not in said.partition("What is assumed")[0].lower()


def test_what_is_left_out_is_counted(both: Comparison) -> None:
    many = replace(both, pairs=both.pairs[:1] * (DECISIONS_MAX + 7))
    assert f"The first {DECISIONS_MAX} of {DECISIONS_MAX + 7}; the other 7" in text_of(
        render(many, ABOUT)
    )
    none = paired(both.left, both.left)
    assert "They decide the same every time." in text_of(render(none, ABOUT))


@pytest.mark.req("E-4")
def test_the_command_writes_it_and_the_command_in_it_writes_it_again(
    lines: Path, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    words = ["policy", "diff", "seed-v1", "opt-v1", "--input", str(lines), "--report", str(file)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    first = file.read_bytes()
    command = next(etree.fromstring(first).iter(f"{XHTML}pre"))
    _, *again = shlex.split("".join(command.itertext()))
    again[-1] = str(file)
    file.unlink()
    assert CliRunner().invoke(app, again).exit_code == 0
    assert file.read_bytes() == first
