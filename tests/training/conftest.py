"""What the tests of training share."""

import pytest
from lines import write_config, write_lines


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The path of a small configuration on forty bar codes."""
    folder = tmp_path_factory.mktemp("config")
    return write_config(folder, write_lines(folder / "lines"))
