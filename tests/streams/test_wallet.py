"""What an operation can be paid from, and that a moved coin is not counted twice."""

from tests.streams.desk_world import World

OPEN = """
    policy limits.loan.min_usd=100
    wallet USDT 1000
    loan   ltv=0.50
    fill   a1 buy  1 at 1000
    fill   a2 sell 1 at 2000
"""


def transferable(world: World) -> dict[str, int]:
    entry = next(value for key, value in world.book.entries.items() if key.startswith("wallets"))
    return {coin: units // 10**18 for coin, units in entry.transferable_e18.items()}


def test_only_the_trading_wallet_counts() -> None:
    assert transferable(World().play("wallet USDT 1000")) == {"USDT": 1000}


def test_an_older_snapshot_is_not_applied() -> None:
    world = World().play("""
        at     +10s
        wallet USDT 1000
        wallet USDT 2000
        wallet USDT 3000 as_of=+9s
    """)
    assert transferable(world) == {"USDT": 1000}


def test_what_was_moved_is_gone_until_a_newer_snapshot_says_so() -> None:
    world = World().play(f"""
        {OPEN}
        at      +5s
        outcome CONFIRMED
        wallet  USDT 1000 as_of=+4s
    """)
    assert transferable(world) == {"USDT": 50}
    world.play("at +6s\nwallet USDT 60")
    assert transferable(world) == {"USDT": 60}


def test_a_snapshot_taken_after_the_move_already_knows_it() -> None:
    world = World().play(f"""
        {OPEN}
        at      +5s
        wallet  USDT 50
        at      +4s
        outcome CONFIRMED
    """)
    assert transferable(world) == {"USDT": 50}
