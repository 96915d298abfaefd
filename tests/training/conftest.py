"""What the tests of training share."""

import pytest
from lines import write_config, write_lines


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """A folder of forty bar codes."""
    return write_lines(tmp_path_factory.mktemp("bars") / "lines")


@pytest.fixture(scope="module")
def config(request, lines, tmp_path_factory):
    """The path of a small configuration on these lines: that of the module's CONFIG, or that of `lines.py`."""
    folder = tmp_path_factory.mktemp("config")
    if not hasattr(request.module, "CONFIG"):
        return write_config(folder, lines)
    (folder / "config.yaml").write_text(request.module.CONFIG.format(lines=lines), encoding="utf-8")
    return str(folder / "config.yaml")
