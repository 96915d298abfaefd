"""Settings: dataclass <- YAML <- dotted overrides, and the one way in which a command starts and fails.

A command is `main(argv=None) -> int`, made by `@command(Settings, ...)` from a function that takes the settings.
Unknown keys and bad values become one line that names key, file and the likely right key, and exit status 2.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import logging
import os
import signal
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

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


def suggest(key: str, known: Sequence[str]) -> str:
    """Return '; did you mean …?' for the known key nearest to `key`, or the list of known keys."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"


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
        if inner is not None and isinstance(value, Mapping):
            check_keys(value, inner, where, f"{prefix}{key}.")


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping, UTF-8 with or without byte-order mark. InputError names file and line."""
    import yaml

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a UTF-8 YAML file: {_one_line(error)}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: a settings file must be a mapping of keys to values")
    return content


def build(cls: type[T], mapping: Mapping[str, Any], where: str) -> T:
    """Make the settings dataclass `cls` from `mapping`, types checked. `where` names the mapping in InputErrors."""
    check_keys(mapping, cls, where)
    parser = _bare_parser("")
    parser.add_class_arguments(cls)
    with _one_line_errors(where):
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
            arguments = _rename(sys.argv[1:] if argv is None else list(argv), aliases or {})
            return _run(name, lambda: function(parse(parser(), settings, arguments)))

        main.parser = parser
        main.settings = settings
        main.aliases = dict(aliases or {})
        return main

    return decorate


def parse(parser: Any, cls: type[T], arguments: list[str]) -> T:  # noqa: ANN401
    """Parse `arguments` into `cls`; every `--config` file is checked key by key first, so that errors name it."""
    files = _config_files(arguments)
    for file in files:
        check_keys(read_yaml(file), cls, file)
    _check_options(parser, arguments)
    with _one_line_errors("", files):
        values = vars(parser.instantiate(parser.parse_args(arguments)))
    values.pop("config", None)
    values.pop("print_config", None)
    with _one_line_errors("", files):
        return cls(**values)


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
    lines = [(doc or "").strip(), "", "Example:", *(f"  {line}" for line in example.splitlines())]
    if aliases:
        lines += ["", "Other spellings: " + ", ".join(f"{old} = {new}" for old, new in aliases.items())]
    return "\n".join(lines)


def _rename(arguments: list[str], aliases: Mapping[str, str]) -> list[str]:
    """Replace other spellings of options; `--key=value` too. An alias to '' is the bare (positional) argument."""
    renamed = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        target = aliases.get(key)
        if target is None:
            renamed.append(argument)
        elif target:
            renamed.append(target + equals + value)
        elif value:
            renamed.append(value)
    return renamed


def _config_files(arguments: list[str]) -> list[str]:
    files = [after for before, after in zip(arguments, arguments[1:], strict=False) if before == "--config"]
    return files + [argument.partition("=")[2] for argument in arguments if argument.startswith("--config=")]


def option_names(parser: Any) -> list[str]:  # noqa: ANN401
    """Return every option of a parser that a user may type, sorted."""
    return sorted({option for action in parser._actions for option in action.option_strings if option.startswith("-")})


def _check_options(parser: Any, arguments: list[str]) -> None:  # noqa: ANN401
    """Raise InputError with the nearest option for an unknown one."""
    known = option_names(parser)
    for argument in arguments:
        key = argument.partition("=")[0]
        if not key.startswith("--") or key in known or key == "--":
            continue
        if any(key.startswith(option + ".") or key.rstrip("+") == option for option in known):
            continue
        raise InputError(f"unknown option {key}{suggest(key, known)}")


class _one_line_errors:  # noqa: N801 - used like a function
    """Turn what jsonargparse and `__post_init__` raise into InputErrors that name the file where a key stands."""

    def __init__(self, where: str, files: Sequence[str] = ()) -> None:
        self.where, self.files = where, files

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        import argparse

        if isinstance(error, InputError) and not self.where:
            return
        if isinstance(error, argparse.ArgumentError | TypeError | ValueError):
            where = self.where or ", ".join(self.files)
            text = " ".join(str(error).split()).replace('Parser key "config": ', "")
            raise InputError(f"{where}: {text}" if where else text) from error


def _run(name: str, job: Callable[[], int | None]) -> int:
    """Run a command and turn what it raises into one line and an exit status."""
    logging.basicConfig(level=os.environ.get("GLYPHLINE_LOG", "INFO"), format="%(message)s", stream=sys.stderr)
    for noisy in ("httpx", "filelock", "fsspec", "urllib3", "datasets", "matplotlib", "PIL", "fontTools", "jax"):
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


def _fail(name: str, message: str, status: int) -> int:
    sys.stderr.write(f"glyphline {name}: error: {message}\n")
    return status


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
