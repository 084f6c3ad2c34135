"""A folder in which a bit has flipped is never believed: it is found, removed and read anew."""

import os
import random
import shutil
from pathlib import Path

import pytest

from agents.exact.store import HASH_KEY, Damaged, Part, digest

FLIPS = int(os.environ.get("WEIR_TEST_FLIPS", "100"))
"""1000 for the whole of it."""
BATCHES, ROWS = 8, 60
PREFIX = "acc|"


def opened(path: Path) -> Part:
    return Part(path, lambda _, value: value.encode(), lambda _, raw: raw.decode(), 10, [])


def written(path: Path, killed_copy: Path) -> list[dict[str, str]]:
    """A folder with tables on disk and a write-ahead log, as a kill leaves it; the entries after
    each batch.
    """
    part, chance = opened(path), random.Random(3)
    states: list[dict[str, str]] = [{}]
    for batch in range(1, BATCHES + 1):
        changed = {f"{PREFIX}{chance.randrange(400):03d}": f"{batch}" * 40 for _ in range(ROWS)}
        states.append(states[-1] | changed)
        total = sum(digest(key.encode(), value.encode()) for key, value in states[-1].items())
        part.hash = total % (1 << 256)
        stamp = f'{{"hash":"{part.hash:064x}","at":{batch}}}'
        rows = [(key.encode(), value.encode()) for key, value in changed.items()]
        part.store([*rows, (HASH_KEY.encode(), stamp.encode())], batch, batch - 1)
        if batch in (3, 5):
            part._db._db.flush()
    shutil.copytree(path, killed_copy)
    part.close()
    return states


def flipped(path: Path, chance: random.Random) -> None:
    """One bit of one file, every kind of file alike."""
    found = [one for one in path.iterdir() if one.stat().st_size and one.name[:4] != "LOG"]
    file = chance.choice(found)
    data = bytearray(file.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    file.write_bytes(data)


@pytest.mark.req("003-46")
def test_no_flipped_bit_is_ever_believed(tmp_path: Path) -> None:
    """Either all is as it was, or it is an earlier state that says so, or it is found and gone."""
    states = written(tmp_path / "live", tmp_path / "killed")
    chance, ends = random.Random(46), {"as it was": 0, "earlier": 0, "found": 0}
    for number in range(FLIPS):
        folder = tmp_path / f"flip-{number}"
        shutil.copytree(tmp_path / "killed", folder)
        flipped(folder, chance)
        try:
            part = opened(folder)
            seen = dict(part.range(PREFIX))
            assert seen == {key: part.get(key) for key in states[-1] if key in seen}
        except Damaged:
            assert not folder.exists()
            part = opened(folder)
            assert (part.position, part.hash, dict(part.range(""))) == (0, 0, {})
            ends["found"] += 1
        else:
            assert seen == states[part.position]
            assert not part.unproven
            ends["as it was" if part.position == BATCHES else "earlier"] += 1
        part.close()
        shutil.rmtree(folder)
    assert all(ends.values()), ends


def test_a_folder_that_is_in_use_is_not_damaged(tmp_path: Path) -> None:
    part = opened(tmp_path / "live")
    with pytest.raises(Exception, match="lock"):
        opened(tmp_path / "live")
    assert (tmp_path / "live").exists()
    part.close()
