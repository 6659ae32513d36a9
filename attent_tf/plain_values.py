"""Frozen dataclasses from plain values, as YAML and JSON hold them: strictly, and with one line for what does not fit.

cattrs builds the objects; what it finds wrong is reported here, in the same words for every file. A class says by its annotations
what its values are: `Literal` for one of several words, and in `Annotated` a `Check` or one of
`ONE_OR_MORE`, `BY_NAME`, `MAY_LACK` and `NOT_WRITTEN`.
"""

import dataclasses
import functools
import math
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from attent_tf.errors import AttentError, ConfigError, did_you_mean
from attent_tf.json_numbers import from_json

if typing.TYPE_CHECKING:
    import cattrs

T = TypeVar("T")
# A value and its kind to what is made of it.
Hook = Callable[[Any, Any], Any]

_LONGEST_SHOWN = 120


@dataclasses.dataclass(frozen=True)
class Check:
    """In `Annotated`: what a value must be beyond its type, in words, and whether one is."""

    expected: str
    holds: Callable[[Any], bool]


@dataclasses.dataclass(frozen=True)
class _Form:
    """In `Annotated`: how a value is written."""

    text: str


# A tuple that may be written as its only entry.
ONE_OR_MORE = _Form("one entry, or a list")
# A tuple of pairs that is written as a mapping from the first of each pair to the second.
BY_NAME = _Form("names and their values")

# A key that is left out where it has its default, although others have to be there.
MAY_LACK = _Form("may be left out")
# A value that no key stands for.
NOT_WRITTEN = _Form("never written")

Text = Annotated[str, Check("text", lambda value: bool(value.strip()) and value.isprintable())]
Finite = Annotated[float, Check("a finite number", math.isfinite)]


class MisfitError(Exception):
    """A value is not what was expected. Hooks raise it; the reader adds where it stands."""


def expected(what: str, value: Any) -> MisfitError:
    """Returns the error for a value that is something else."""
    return MisfitError(f"expected {what}, found {shown(value)}")


def shown(value: Any) -> str:
    """Returns a value as a message shows it."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def json_number(value: Any) -> float:
    """Reads a number as `json_numbers.to_json` leaves it: `null` is NaN, `"inf"` infinite. A hook for `float`."""
    return _number(from_json(value))


class StrictReader:
    """Reads plain values as dataclasses, which refuse keys that they do not have.

    Args:
      hooks: kind to a function that makes one of a plain value, for kinds that are written in a way of their own; it raises
        `MisfitError` or an `AttentError`.
      by_hand: whether people write the values: then numbers that YAML takes for text, such as 1e-4, are numbers.
      other_keys: whether keys that a class does not have are left alone.
      complete: whether keys with defaults have to be there as well, as in files that this library writes.
    """

    def __init__(
        self,
        hooks: Mapping[Any, Callable[[Any], Any]] | None = None,
        by_hand: bool = False,
        other_keys: bool = False,
        complete: bool = False,
    ):
        self._hooks = dict(hooks or {})
        self._by_hand = by_hand
        self._other_keys = other_keys
        self._complete = complete

    def read(
        self,
        kind: type[T],
        content: Any,
        where: str = "",
        error: type[Exception] = ConfigError,
        advice: str = "",
        joint: str = ": ",
    ) -> T:
        """Makes a `kind` of plain values.

        Args:
          kind: a dataclass, or any type that annotations can name.
          content: mappings, lists, texts, numbers, true, false and None.
          where: the name of the whole in the line: the file; empty if the caller puts one before it.
          error: what is raised.
          advice: ends the line: what to do.
          joint: between the names of nested keys in the line.

        Raises:
          Exception: of the kind `error`: the first thing that does not fit, with its key.
        """
        try:
            return self._converter.structure(content, kind)
        except Exception as fault:
            line = _line(fault, joint)
            if line is None:
                raise
            raise error("; ".join(filter(None, (f"{where}: {line}" if where else line, advice)))) from fault

    @functools.cached_property
    def _converter(self) -> "cattrs.Converter":
        # Imported late: it takes longer than all else that reads a configuration.
        import cattrs
        from cattrs.cols import homogenous_tuple_structure_factory, is_mapping, mapping_structure_factory
        from cattrs.gen import make_dict_structure_fn, override

        converter = cattrs.Converter(forbid_extra_keys=not self._other_keys)
        for kind, hook in (
            (bool, _truth),
            (int, _whole),
            (float, _number_by_hand if self._by_hand else _number),
            (str, _text_by_hand if self._by_hand else _text),
        ):
            converter.register_structure_hook(kind, _hook(hook))

        def mapping(kind: Any, converter: Any) -> Hook:
            read: Hook = mapping_structure_factory(kind, converter)
            return _guarded(lambda value: isinstance(value, Mapping), "names and their values", read)

        def a_tuple(kind: Any, converter: Any) -> Hook:
            kinds = typing.get_args(kind)
            if kinds[-1] is Ellipsis:
                return _guarded(_is_list, "a list", homogenous_tuple_structure_factory(kind, converter))
            parts = [converter.get_structure_hook(part) for part in kinds]
            return _guarded(
                lambda value: _is_list(value) and len(value) == len(kinds),
                f"a list of {len(kinds)}",
                lambda value, _: tuple(part(*entry) for part, *entry in zip(parts, value, kinds, strict=True)),
            )

        def dataclass(kind: Any, converter: Any) -> Hook:
            keys = _keys(kind)
            left_out: dict[str, Any] = {
                field.name: override(omit=True) for field in dataclasses.fields(kind) if field.name not in keys
            }
            read, needed = make_dict_structure_fn(kind, converter, **left_out), _needed(kind, self._complete)

            def keyed(value: Any, kind: Any) -> Any:
                missing = [name for name in needed if name not in value]
                # A key that is misspelt is missing as well; the misspelling, which cattrs finds, says more.
                if missing and (self._other_keys or value.keys() <= set(keys)):
                    raise MisfitError(f"expected the keys {', '.join(needed)}; {missing[0]} is missing")
                return read(value, kind)

            return _guarded(lambda value: isinstance(value, Mapping), _some_keys(kind), keyed)

        converter.register_structure_hook_factory(is_mapping, mapping)
        converter.register_structure_hook_factory(typing.is_typeddict, _as_written)
        converter.register_structure_hook_factory(_made_of(tuple), a_tuple)
        converter.register_structure_hook_factory(dataclasses.is_dataclass, dataclass)
        converter.register_structure_hook_factory(_made_of(Literal), _literal)
        converter.register_structure_hook_factory(_made_of(Annotated), _annotated)
        for kind, hook in self._hooks.items():
            converter.register_structure_hook(kind, _hook(hook))
        return converter


def _made_of(origin: Any) -> Callable[[Any], bool]:
    return lambda kind: bool(typing.get_origin(kind) == origin)


def _line(error: BaseException, joint: str, path: tuple[str, ...] = ()) -> str | None:
    """The first fault in words, behind the keys that lead to it; None for what is no fault of the values."""
    from cattrs.errors import BaseValidationError, ForbiddenExtraKeysError

    if isinstance(error, BaseValidationError):
        faults = sorted(error.exceptions, key=lambda fault: not isinstance(fault, ForbiddenExtraKeysError))
        return _line(faults[0], joint, path + _step(faults[0]))
    if isinstance(error, ForbiddenExtraKeysError):
        return _unknown(error.cl, min(map(str, error.extra_fields)), joint, path)
    if isinstance(error, MisfitError | AttentError):
        return ": ".join(filter(None, (joint.join(path), str(error))))
    return None


def _step(error: BaseException) -> tuple[str, ...]:
    """The key, or the place in a list, at which an error stands; nothing for one of a whole object."""
    for note in getattr(error, "__notes__", ()):
        if hasattr(note, "name"):
            return (note.name,)
        if hasattr(note, "index"):
            return (f"entry {note.index}" if isinstance(note.index, int) else str(note.index),)
    return ()


def _unknown(kind: type, key: str, joint: str, path: tuple[str, ...]) -> str:
    known = _keys(kind)
    prefix = "".join(f"{name}{joint}" for name in path)
    # Keys that are written with dots are shown as they are written.
    dotted = prefix if not joint.isspace() and ":" not in joint else ""
    hint = did_you_mean(key, known, dotted) or f"; known keys: {', '.join(known)}"
    return f"{'' if dotted else prefix}unknown key {dotted + key!r}{hint}"


def _keys(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(kind) if NOT_WRITTEN not in _marks(kind, field)]


def _needed(kind: type, complete: bool) -> list[str]:
    return [
        field.name
        for field in dataclasses.fields(kind)
        if (field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING)
        or (complete and not {MAY_LACK, NOT_WRITTEN} & set(_marks(kind, field)))
    ]


def _marks(kind: type, field: "dataclasses.Field[Any]") -> tuple[Any, ...]:
    return getattr(typing.get_type_hints(kind, include_extras=True)[field.name], "__metadata__", ())


def _some_keys(kind: type) -> str:
    names = _keys(kind)
    return f"keys such as {', '.join(names[:3])}" if len(names) > 3 else f"the keys {', '.join(names)}"


def _hook(read: Callable[[Any], Any]) -> Hook:
    return lambda value, _: read(value)


def _guarded(fits: Callable[[Any], bool], what: str, read: Hook) -> Hook:
    """Refuses what `read` would take for something else, or would fail on in words of its own."""

    def guarded(value: Any, kind: Any) -> Any:
        if not fits(value):
            raise expected(what, value)
        return read(value, kind)

    return guarded


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise expected("true or false", value)
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise expected("a whole number", value)
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise expected("a number", value)
    try:
        return float(value)
    except OverflowError:
        raise expected("a number that fits into 64 bits", value) from None


def _number_by_hand(value: Any) -> float:
    try:
        return float(value) if isinstance(value, str) else _number(value)
    except ValueError:
        raise expected("a number", value) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise expected("text", value)
    return value


def _text_by_hand(value: Any) -> str:
    if not isinstance(value, str):
        # YAML reads a bare no or 0009 as something else.
        raise expected("text, in quotation marks where it looks otherwise", value)
    return value


def _as_written(_: Any) -> Hook:
    """Checks only that a `TypedDict` is a mapping: the code that looks up a key knows best what to do without it."""
    return _guarded(lambda value: isinstance(value, Mapping), "names and their values", lambda value, _: dict(value))


def _literal(kind: Any, _: Any) -> Hook:
    choices = typing.get_args(kind)

    def read(value: Any, _: Any) -> Any:
        if not any(value == choice and type(value) is type(choice) for choice in choices):
            words = sorted(choices) if isinstance(choices[0], int) else [choice for choice in choices if choice != ""]
            raise expected(f"one of {', '.join(map(str, words))}", value)
        return value

    return read


def _annotated(kind: Any, converter: Any) -> Hook:
    base, *marks = typing.get_args(kind)
    checks = [mark for mark in marks if isinstance(mark, Check)]
    read = converter.get_structure_hook(base)
    if ONE_OR_MORE in marks:
        read = _one_or_more(read)
    if BY_NAME in marks:
        read = _by_name(base, converter)

    def checked(value: Any, _: Any) -> Any:
        made = read(value, base)
        for check in checks:
            if not check.holds(made):
                raise expected(check.expected, value)
        return made

    return checked


def _one_or_more(read: Hook) -> Hook:
    def read_all(value: Any, kind: Any) -> Any:
        if _is_list(value):
            return read(value, kind)
        try:
            return read([value], kind)
        except ExceptionGroup as error:
            # There is no list for an entry to have a place in.
            line = _line(error.exceptions[0], ": ")
            if line is None:
                raise
            raise MisfitError(line) from None

    return read_all


def _by_name(kind: Any, converter: Any) -> Hook:
    pair = typing.get_args(kind)[0]
    mapping: Any = dict.__class_getitem__((str, typing.get_args(pair)[1]))
    read = converter.get_structure_hook(mapping)

    def read_pairs(value: Any, _: Any) -> Any:
        if not isinstance(value, Mapping) or not value:
            raise expected("names and their values", value)
        return tuple(read({str(name): entry for name, entry in value.items()}, mapping).items())

    return read_pairs
