"""Settings: dataclass <- YAML <- dotted overrides, and the one way in which a command starts and fails.

A command is `main(argv=None) -> int`, made by `@command(Settings, ...)` from a function that takes the settings.
Unknown keys and bad values become one line that names key, file and the likely right key, and exit status 2.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import logging
import os
import re
import signal
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from glyphline.arguments import complete, deepen, explain, suggest

T = TypeVar("T")

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


class InputError(ValueError):
    """What the user gave cannot be used: the message names file, field and remedy in one line. Exit status 2."""


class JobError(RuntimeError):
    """The job could not be finished for a reason outside the input (disk, network, hardware). Exit status 1."""


def execution(default: Any) -> Any:  # noqa: ANN401
    """Declare a field that says how a job runs and not what it makes: it stays out of the settings hash."""
    return dataclasses.field(default=default, metadata={"execution": True})


def identity(settings: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the fields of a settings dataclass that shape its output, nested, as JSON-serialisable values."""
    result: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        if field.metadata.get("execution"):
            continue
        value = getattr(settings, field.name)
        result[field.name] = identity(value) if dataclasses.is_dataclass(value) else _plain(value)
    return result


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Turn tuples into lists and paths into strings, the way JSON will."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return identity(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _nested(annotation: Any) -> type | None:  # noqa: ANN401
    """Return the dataclass inside an annotation such as `Canvas` or `Canvas | None`."""
    for candidate in (annotation, *typing.get_args(annotation)):
        if isinstance(candidate, type) and dataclasses.is_dataclass(candidate):
            return candidate
    return None


def check_keys(mapping: Any, cls: type, where: str, prefix: str = "") -> None:  # noqa: ANN401
    """Raise InputError for the first key of `mapping` that the dataclass `cls` does not have."""
    if not isinstance(mapping, Mapping):
        raise InputError(f"{where}: {prefix.rstrip('.') or 'the file'} must be a mapping of keys to values")
    hints = typing.get_type_hints(cls)
    for key, value in mapping.items():
        if key not in hints:
            raise InputError(f"{where}: unknown key {prefix + str(key)!r}{suggest(str(key), list(hints))}")
        inner = _nested(hints[key])
        if inner is not None and (isinstance(value, Mapping) or hints[key] is inner):
            check_keys(value, inner, where, f"{prefix}{key}.")


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping, UTF-8 with or without byte-order mark. InputError names file and line."""
    import yaml

    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        node = yaml.compose(text, yaml.SafeLoader)
        content = yaml.safe_load(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}: not YAML: {_one_line(error.problem or error)}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {_one_line(error)}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: a settings file must be a mapping of keys to values")
    _check_twice(node, path)
    return content


def _check_twice(node: Any, path: str | Path) -> None:  # noqa: ANN401
    """Raise InputError where a mapping names a key twice: YAML would silently take the last."""
    seen: set[str] = set()
    for key, value in node.value if type(node).__name__ == "MappingNode" else ():
        if str(key.value) in seen:
            raise InputError(f"{path}, line {key.start_mark.line + 1}: key {key.value!r} stands here a second time")
        seen.add(str(key.value))
        _check_twice(value, path)


def build(cls: type[T], mapping: Mapping[str, Any], where: str) -> T:
    """Make the settings dataclass `cls` from `mapping`, types checked. `where` names the mapping in InputErrors."""
    check_keys(mapping, cls, where)
    parser = _bare_parser("")
    parser.add_class_arguments(cls)
    with _one_line_errors(parser, where):
        return cls(**vars(parser.instantiate(parser.parse_object(dict(mapping)))))


def command(
    settings: type[T], *, name: str, example: str, aliases: Mapping[str, str] | None = None, positional: str = ""
) -> Callable[[Callable[[T], int | None]], Callable[[Sequence[str] | None], int]]:
    """Make `main(argv=None) -> int` from a function of `settings`.

    `aliases` maps other spellings of options to ours (`{"--weights": "--model"}`); `positional` names the list field
    that takes bare arguments. `main.parser()` returns the parser, for help and for the list of frozen options.
    """

    def decorate(function: Callable[[T], int | None]) -> Callable[[Sequence[str] | None], int]:
        def parser() -> Any:  # noqa: ANN401
            return _command_parser(settings, name, _help_text(function.__doc__, example, aliases), positional)

        @functools.wraps(function)
        def main(argv: Sequence[str] | None = None) -> int:
            arguments = sys.argv[1:] if argv is None else list(argv)
            return _run(name, lambda: function(parse(parser(), settings, arguments, aliases or {})))

        main.parser = parser
        main.settings = settings
        main.aliases = dict(aliases or {})
        return main

    return decorate


def parse(parser: Any, cls: type[T], arguments: Sequence[str], aliases: Mapping[str, str]) -> T:  # noqa: ANN401
    """Parse `arguments` into `cls`; every `--config` file is checked key by key first, so that errors name it."""
    with _one_line_errors(parser):
        words = complete(parser, arguments, aliases)
    typed = {key: value for key, _, value in (word[2:].partition("=") for word in words if word.startswith("--"))}
    files = {file: read_yaml(file) for file in _config_files(words)}
    for file, content in files.items():
        check_keys(content, cls, file)
    words = [word for word in words if not word.startswith("--config=") or files[word.partition("=")[2]]]
    words = deepen(parser, words, files.values())
    with _one_line_errors(parser, files=files, typed=typed):
        values = vars(parser.instantiate(parser.parse_args(words)))
        values.pop("config", None)
        values.pop("print_config", None)
        return cls(**_bare_from_files(parser, values, files))


def _bare_from_files(parser: Any, values: dict[str, Any], files: Mapping[str, Mapping]) -> dict[str, Any]:  # noqa: ANN401
    """Take the bare words from the last file that lists them, where none were typed: argparse forgets those."""
    for action in parser._actions:
        if not action.option_strings and not values[action.dest]:
            listed = next((c[action.dest] for c in reversed(files.values()) if c.get(action.dest)), [])
            values[action.dest] = [str(word) for word in (listed if isinstance(listed, list) else [listed])]
    return values


def _bare_parser(prog: str, **more: Any) -> Any:  # noqa: ANN401
    from jsonargparse import ArgumentParser, set_parsing_settings

    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    return ArgumentParser(prog=prog, exit_on_error=False, allow_abbrev=False, **more)


def _command_parser(cls: type, name: str, description: str, positional: str) -> Any:  # noqa: ANN401
    from jsonargparse import DefaultHelpFormatter

    class Formatter(DefaultHelpFormatter):
        """Keeps the line breaks of the description, where the example stands."""

        def _fill_text(self, text: str, width: int, indent: str) -> str:
            return "\n".join(indent + line for line in text.splitlines())

    parser = _bare_parser(f"glyphline {name}", description=description, formatter_class=Formatter)
    parser.add_argument("--config", action="config", help="YAML file with these settings; later options override it.")
    if positional:
        parser.add_argument(positional, nargs="*", type=str, default=[], help=_field_help(cls, positional))
    parser.add_class_arguments(cls, skip={positional} if positional else None)
    return parser


def _field_help(cls: type, field: str) -> str:
    """Return the docstring under a dataclass field."""
    from docstring_parser import parse_from_object

    return next((p.description or "" for p in parse_from_object(cls).params if p.arg_name == field), "")


def _help_text(doc: str | None, example: str, aliases: Mapping[str, str] | None) -> str:
    lines = [inspect.cleandoc(doc or ""), "", "Example:", *(f"  {line}" for line in example.splitlines())]
    if aliases:
        lines += [
            "",
            "Other spellings: " + ", ".join(f"{old} = {new or 'a bare word'}" for old, new in aliases.items()),
        ]
    return "\n".join(lines)


def _config_files(words: Sequence[str]) -> list[str]:
    return [word.partition("=")[2] for word in words if word.startswith("--config=")]


class _one_line_errors:  # noqa: N801 - used like a function
    """Turn what jsonargparse and `__post_init__` raise into InputErrors that name the file where the key stands.

    `where` names it outright; else it is the last of `files` that holds the key, unless the key was `typed`.
    """

    def __init__(
        self,
        parser: Any,
        where: str = "",
        files: Mapping[str, Mapping] | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> None:
        self.parser, self.where, self.files, self.typed = parser, where, files or {}, typed or {}

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        import argparse

        if not isinstance(error, argparse.ArgumentError | TypeError | ValueError):
            return
        key, text = explain(self.parser, str(error))
        where = self.where or self._file_of(key, text)
        raise InputError(f"{where}: {text}" if where and where not in text else text) from error

    def _file_of(self, key: str, text: str) -> str:
        """Return the file to blame: the one that holds `key`, or holds a key that the message mentions."""
        keys = {key} if key else set(re.findall(r"[a-z_][a-z_0-9.]*", text))
        if any(name in keys and (not key or f"not {value!r}" in text) for name, value in self.typed.items()):
            return ""
        return next((file for file in reversed(self.files) if keys & _dotted(self.files[file])), "")


def _dotted(content: Mapping, prefix: str = "") -> set[str]:
    """Return the keys of a nested mapping, dotted, the inner ones alone too."""
    keys: set[str] = set()
    for key, value in content.items():
        keys |= {f"{prefix}{key}", str(key)}
        keys |= _dotted(value, f"{prefix}{key}.") if isinstance(value, Mapping) else set()
    return keys


def _run(name: str, job: Callable[[], int | None]) -> int:
    """Run a command and turn what it raises into one line and an exit status."""
    logging.basicConfig(level=_log_level(), format="%(message)s", stream=sys.stderr)
    logging.getLogger("glyphline").setLevel(_log_level())  # whatever an embedding program set for the root
    logging.raiseExceptions = False  # a log file on a full disk must not bury the one line that says so
    for noisy in (
        "httpx",
        "httpx2",
        "filelock",
        "fsspec",
        "urllib3",
        "datasets",
        "matplotlib",
        "PIL",
        "fontTools",
        "jax",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        return int(job() or EXIT_DONE)
    except InputError as error:
        return _fail(name, _one_line(error), EXIT_USAGE)
    except JobError as error:
        return _fail(name, _one_line(error), EXIT_FAILED)
    except KeyboardInterrupt:
        return _fail(name, "interrupted; the same command goes on from here", EXIT_INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(name, f"{where}{error.strerror or error}", EXIT_FAILED)


def _log_level() -> str:
    """Return the level that GLYPHLINE_LOG asks for; INFO where it is unset or no level."""
    level = os.environ.get("GLYPHLINE_LOG", "INFO").upper()
    return level if level in logging.getLevelNamesMapping() else "INFO"


def _fail(name: str, message: str, status: int) -> int:
    sys.stderr.write(f"glyphline {name}: error: {message}\n")
    return status


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
