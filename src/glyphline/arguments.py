"""What a user types and what a parser complains about, both put into the words of this project.

`complete` turns the arguments as typed into the one form the parser takes; `explain` turns the parser's complaint
into a sentence that names the key, what it takes and what it was given.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
import json
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

BOOLEANS = ("true", "false", "yes", "no")

_KEY = re.compile(r'Parser key "([^"]+)": ')
_VALUE = re.compile(r"(?:Got value|Given value): (.*)$")
_REQUIRED = re.compile(r"the following arguments are required: (.*)$")
_UNKNOWN = re.compile(r"unrecognized arguments: (.*)$")
_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
    type(None): "null",
}


def suggest(key: str, known: Sequence[str]) -> str:
    """Return '; did you mean …?' for the known key nearest to `key`, or the list of known keys."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"


def option_names(parser: Any) -> list[str]:  # noqa: ANN401
    """Return every option of a parser that a user may type, sorted."""
    return sorted({option for action in parser._actions for option in action.option_strings if option.startswith("-")})


def complete(parser: Any, arguments: Sequence[str], aliases: Mapping[str, str]) -> list[str]:  # noqa: ANN401
    """Return `arguments` as the parser takes them: every option as `--key=value`, then the bare words.

    Other spellings are replaced (an alias to '' marks bare words), hyphens in known options become underscores,
    a boolean alone means true, a list of texts may be typed as words. ValueError for an unknown option or a
    missing value.
    """
    options = {option: action for action in parser._actions for option in action.option_strings}
    takes_bare = any(not action.option_strings for action in parser._actions)
    done: list[str] = []
    bare: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        key, equals, value = word.partition("=")
        key = aliases.get(key, key)
        if word == "--":
            bare += rest
            break
        if not key or not key.startswith("-") or word == "-" or _is_number(word):
            # The bare words of an alias to '' follow it; with `--image=x.png` the value is the word.
            bare += [value] if not key and equals else [] if not key else [word]
            continue
        key = _known(key, options)
        values = [value] if equals else _take_values(options.get(key), rest, many=not takes_bare)
        done.append(_join(key, options.get(key), values))
    return done + (["--", *bare] if any(word.startswith("-") and word != "-" for word in bare) else bare)


def deepen(parser: Any, words: Sequence[str], files: Iterable[Mapping[str, Any]]) -> list[str]:  # noqa: ANN401
    """Return `words` with `--field.key.inner=value` merged into what the files hold under `key` of a mapping.

    The parser itself would replace the whole of `field.key`. Options that it knows pass as they are.
    """
    import yaml

    known, contents = set(option_names(parser)), list(files)
    merged: dict[str, dict[str, Any]] = {}
    done: list[str] = []
    for word in words:
        option, _, value = word.partition("=")
        field, *path = option.removeprefix("--").split(".")
        held = next((file[field] for file in reversed(contents) if isinstance(file.get(field), Mapping)), {})
        if (
            not option.startswith("--")
            or len(path) < 2
            or option in known
            or not isinstance(held.get(path[0]), Mapping)
        ):
            done.append(word)
            continue
        name = f"--{field}.{path[0]}"
        if name not in merged:
            done.append(name)
        inner = merged.setdefault(name, copy.deepcopy(dict(held[path[0]])))
        for key in path[1:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = yaml.safe_load(value)
    return [f"{word}={json.dumps(merged[word], ensure_ascii=False)}" if word in merged else word for word in done]


def _is_number(word: str) -> bool:
    return re.fullmatch(r"-\.?\d[\d.eE+-]*", word) is not None


def _known(key: str, options: Mapping[str, Any]) -> str:
    """Return the option as the parser spells it. A key of a mapping (`--replace.x`) passes; ValueError for others."""
    spelled = key if key in options else "--" + key[2:].replace("-", "_") if key.startswith("--") else key
    if spelled in options:
        return spelled
    for option, action in options.items():
        if key.startswith(option + ".") and any(map(_has_keys, _kinds(getattr(action, "_typehint", None)))):
            return key
    raise ValueError(f"unknown option {key}{suggest(key, sorted(o for o in options if not o.endswith('+')))}")


def _has_keys(kind: Any) -> bool:  # noqa: ANN401
    return kind is dict or dataclasses.is_dataclass(kind)


def _take_values(action: Any, rest: list[str], *, many: bool) -> list[str]:  # noqa: ANN401
    """Take from `rest` the words that belong to an option: none for a flag, all to the next option for a list."""
    if action is not None and (action.nargs == 0 or type(action).__name__ == "_ActionPrintConfig"):
        return []
    hint = getattr(action, "_typehint", None)
    if hint is bool:
        return [rest.pop(0)] if rest and rest[0].lower() in BOOLEANS else ["true"]
    wanted = len(rest) if many and _is_text_list(hint) else 1
    taken: list[str] = []
    while rest and len(taken) < wanted and (not rest[0].startswith("-") or rest[0] == "-" or _is_number(rest[0])):
        taken.append(rest.pop(0))
    if not taken:
        raise ValueError(f"{action.option_strings[0] if action else 'this option'} needs a value")
    return taken


def _join(key: str, action: Any, values: list[str]) -> str:  # noqa: ANN401
    """Write an option and its values as one word; texts of a list become a JSON list."""
    if not values:
        return key
    is_list = _is_text_list(getattr(action, "_typehint", None)) and not key.endswith("+")
    if is_list and values[0] and values[0][0] != "[" and values != ["null"]:
        return f"{key}={json.dumps(values, ensure_ascii=False)}"
    return f"{key}={' '.join(values)}"


def _members(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """Return the members of a union, or the annotation alone."""
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def _kinds(hint: Any) -> list[Any]:  # noqa: ANN401
    return [typing.get_origin(member) or member for member in _members(hint)]


def _is_text_list(hint: Any) -> bool:  # noqa: ANN401
    return any(
        typing.get_origin(member) in (list, tuple) and typing.get_args(member)[:1] == (str,)
        for member in _members(hint)
    )


def describe(hint: Any) -> str:  # noqa: ANN401
    """Say in words what an annotation takes: `int | None` is "a whole number or null"."""
    said = []
    for member in _members(hint):
        if typing.get_origin(member) is typing.Literal:
            said.append("one of " + ", ".join(str(value) for value in typing.get_args(member)))
            continue
        kind = typing.get_origin(member) or member
        inner = typing.get_args(member)
        word = _WORDS.get(kind, getattr(kind, "__name__", str(kind)))
        said.append(f"{word} of {describe(inner[0])}" if kind in (list, tuple) and inner else word)
    return " or ".join(said)


def explain(parser: Any, message: str) -> tuple[str, str]:  # noqa: ANN401
    """Return the key that a complaint of the parser is about ('' if unknown) and the complaint as one sentence."""
    text = " ".join(message.split())
    if found := _REQUIRED.search(text):
        keys = [f"--{key.strip()}" for key in found[1].split(",")]
        return "", f"{', '.join(keys)} {'is' if len(keys) == 1 else 'are'} required"
    if found := _UNKNOWN.search(text):
        return "", f"unexpected argument {found[1].split()[0]!r}"
    found = None
    for found in _KEY.finditer(text):  # noqa: B007 - the innermost key is the last one
        pass
    if found is None:
        return "", text.removeprefix('Parser key "config": ')
    key, given = found[1], _VALUE.search(text)
    hint = next((getattr(a, "_typehint", None) for a in parser._actions if a.dest == key), None)
    if hint is None or given is None:
        return key, f"{key}: {text[found.end() :]}"
    return key, f"{key} must be {describe(hint)}, not {given[1]!r}{_nearest(hint, given[1])}"


def _nearest(hint: Any, given: str) -> str:  # noqa: ANN401
    """Return '; did you mean …?' where one of the literals of `hint` is near to what was given."""
    literals = [str(v) for m in _members(hint) if typing.get_origin(m) is typing.Literal for v in typing.get_args(m)]
    near = difflib.get_close_matches(given, literals, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
