"""The house: who may import whom, how long things may be, and where nothing may be assumed."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

import glyphline
from glyphline.__main__ import COMMANDS

SOURCE = Path(glyphline.__file__).parent
ROOT = Path(__file__).parents[1]
MODULES = sorted(SOURCE.rglob("*.py"))
FRONT_DOORS = sorted(
    path
    for place in ("*.py", "train/*.py", "data_prep/*.py")
    for path in ROOT.glob(place)
    if path.name not in ("setup.py", "conftest.py")
)
BASE = {
    "arguments",
    "distributed",
    "images",
    "manifest",
    "optional",
    "plugins",
    "records",
    "seeds",
    "settings",
    "text",
}

# What a part of the package may import of the others, beside itself and the root modules.
ALLOWED = {
    "languages": set(),
    "corpus": {"languages"},
    "render": {"languages"},
    "handwriting": {"languages"},
    "models": {"languages"},
    "evaluation": {"models", "languages"},
    "training": {"evaluation", "models", "render", "languages"},
    "delivery": {"evaluation", "models", "languages"},
}
HEAVY = {"torch", "transformers", "datasets", "accelerate", "kiwipiepy", "matplotlib", "tensorboard", "evaluate"}
# These take characters apart to look at them; what they pass on is the text that they were given.
LOOK_ONLY = {
    "text.py",
    "evaluation/metrics.py",  # units of the jamo error rate
    "render/fonts.py",  # whether a font can compose a character
    "render/line.py",  # what to ask of a font
}
WITHOUT_TORCH = ("corpus", "render", "handwriting", "languages")


def part(path):
    """Return the part of the package that a file belongs to: a folder's name, or '' for a root module."""
    inner = path.relative_to(SOURCE)
    return inner.parts[0] if len(inner.parts) > 1 else ""


def imports(tree, top_level_only=False):
    """Yield the dotted names that a module imports, those inside functions too."""
    for node in at_import(tree) if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import(tree):
    """Yield the nodes that run when the module is imported: not function bodies, not `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from at_import(node)


@functools.cache
def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def named(path):
    return str(path.relative_to(ROOT if ROOT in path.parents else SOURCE.parent))


def every_module(rule):
    """Make one test of a rule for all modules; it names every module that breaks the rule."""

    def test():
        broken = []
        for path in MODULES:
            try:
                rule(path)
            except AssertionError as error:
                broken.append(str(error).splitlines()[0])
        assert not broken, "\n".join(broken)

    return test


@every_module
def test_dependencies_point_one_way(path):
    own = part(path)
    for name in imports(parse(path)):
        pieces = name.split(".")
        if pieces[0] != "glyphline" or len(pieces) < 2 or pieces[1] == "__version__":
            continue
        target = pieces[1]
        if path.name == "__main__.py" or target == own:
            continue
        if own == "":
            assert target in BASE, f"{named(path)} is a root module and imports {name}"
        else:
            allowed = BASE | ALLOWED[own]
            assert target in allowed, f"{named(path)} imports {name}; {own} may import {sorted(ALLOWED[own])}"


def test_every_part_has_its_rule():
    parts = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name not in ("__pycache__", "shipped")}
    assert parts == set(ALLOWED)
    assert {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__"} == BASE


@every_module
def test_only_models_and_what_stands_on_them_import_torch(path):
    if part(path) not in WITHOUT_TORCH:
        return
    used = {name.split(".")[0] for name in imports(parse(path))} & {"torch", "transformers", "accelerate"}
    assert not used, f"{named(path)} imports {used}"


@every_module
def test_root_modules_and_packages_import_nothing_heavy_when_imported(path):
    if part(path) and path.name != "__init__.py" or path.parent.name == "modules":
        return  # evaluation/modules holds modules of the evaluate library, which are written this way
    used = {name.split(".")[0] for name in imports(parse(path), top_level_only=True)}
    assert not used & (HEAVY | {"cv2", "PIL", "pyarrow", "fsspec", "jsonargparse"}), named(path)


@every_module
def test_only_distributed_reads_ranks(path):
    if path.name == "distributed.py":
        return
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert node.value not in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR"), named(
                path
            )


@every_module
def test_only_its_adapter_imports_trdg(path):
    if path.relative_to(SOURCE).as_posix() == "render/engines/trdg.py":
        return
    assert "trdg" not in {name.split(".")[0] for name in imports(parse(path))}, named(path)


@every_module
def test_only_text_changes_unicode(path):
    if path.relative_to(SOURCE).as_posix() in LOOK_ONLY:
        return
    for node in ast.walk(parse(path)):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        assert not called.endswith("unicodedata.normalize"), f"{named(path)}:{node.lineno}: use glyphline.text"


@every_module
def test_nothing_draws_from_a_global_generator(path):
    if path.relative_to(SOURCE).as_posix() == "render/engines/trdg.py":
        return  # trdg knows no other: its adapter seeds them for every line
    assert "random" not in {name.split(".")[0] for name in imports(parse(path))}, named(path)
    for node in ast.walk(parse(path)):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if called.startswith(("np.random.", "numpy.random.")):
            assert called.rsplit(".", 1)[1] in ("Generator", "Philox"), f"{named(path)}:{node.lineno}: {called}"


@every_module
def test_nothing_knows_the_checkout(path):
    for node in ast.walk(parse(path)):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or " " in node.value:
            continue
        assert not node.value.startswith(("configs/", "demo/", "models/", "../", "/work", "/home")), (
            f"{named(path)}:{node.lineno}: {node.value!r} is a path of the checkout"
        )


@every_module
def test_functions_and_files_are_short(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400, f"{named(path)} is longer than 400 lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            assert length <= 80, f"{named(path)}:{node.lineno}: {node.name} has {length} lines"


def test_functions_are_mostly_shorter_than_45_lines():
    lengths = [
        node.end_lineno - node.lineno + 1
        for path in MODULES
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert sum(length > 45 for length in lengths) <= 0.02 * len(lengths)


@pytest.mark.parametrize("path", FRONT_DOORS, ids=[named(path) for path in FRONT_DOORS])
def test_a_front_door_is_a_docstring_an_import_and_main(path):
    tree = parse(path)
    assert ast.get_docstring(tree), f"{named(path)} has no docstring"
    rest = [ast.unparse(node) for node in tree.body[1:]]
    target, name = next(
        (node.module, alias.name) for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    )
    assert target in {module for module, _ in COMMANDS.values()} and name == "main"
    assert rest == ["import sys", f"from {target} import main", "if __name__ == '__main__':\n    sys.exit(main())"]


def test_the_front_doors_are_there():
    doors = {named(path) for path in FRONT_DOORS}
    assert doors >= {
        "inference.py",
        "train/stage1_pretrain.py",
        "train/stage2_finetune.py",
        "train/score_model.py",
        "train/publish_model.py",
        "data_prep/collect_corpus.py",
        "data_prep/prepare_handwriting.py",
    }
    assert (ROOT / "generate_images.sh").stat().st_mode & 0o111
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_test_files_have_names_of_their_own():
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name not in ("conftest.py", "__init__.py")]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


def test_no_module_is_called_by_nothing():
    for path in MODULES:
        assert path.stem not in ("utils", "util", "helpers", "helper", "common", "misc", "tools"), named(path)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["no-such-command"]])
def test_the_overview_imports_nothing_heavy(arguments):
    # -X importtime lists every module that was imported, on standard error.
    command = [sys.executable, "-X", "importtime", "-m", "glyphline", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "glyphline" in loaded
    assert not loaded & (HEAVY | {"numpy", "cv2", "PIL", "pyarrow", "jsonargparse", "yaml"})
