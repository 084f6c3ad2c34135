"""The README's agent and its test are run as they stand there."""

import re
from pathlib import Path

from agents import exact

README = Path(exact.__file__).parent / "README.md"


async def test_the_example_works(tmp_path):
    agent, its_test = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    names: dict = {"__name__": "readme"}
    exec(agent, names)
    exec(its_test, names)
    app = names["build"](exact.Config(bootstrap="127.0.0.1:1", datadir=tmp_path))
    await names["test_deposits"](app)


def test_every_setting_is_explained():
    text = README.read_text()
    told = {"bootstrap", "value_bytes_max", "header_prefix", "window"}
    missing = [name for name in exact.Config.__dataclass_fields__ if f"`{name}`" not in text]
    assert set(missing) <= told
