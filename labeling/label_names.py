"""Names of classes as they are kept: one form for every door that takes or looks up a name."""

import numbers
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

_TRUTH = ("true", "false")
_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")


def label_name(name: str | bool) -> str:
    r"""Return a name in the form that is kept and compared: composed (NFC), without blanks around it.

    Blanks are all white space, no-break spaces included. A truth value becomes ``true`` or ``false``, as a CSV
    file has it. What is no text stays as it is: whoever looks it up finds no class of that name.

    Examples
    --------
    >>> label_name("\u00a0cafe\u0301 "), label_name(True)
    ('café', 'true')
    """
    if isinstance(name, str):
        return unicodedata.normalize("NFC", name).strip()
    if type(name).__name__ in ("bool", "bool_"):
        return _TRUTH[not name]
    return name  # type: ignore[return-value]


def check_listed(names: object) -> None:
    """Raise where names are given in a form that has no order of its own.

    Raises
    ------
    TypeError
        They are one text, or a set: answers and arrays hold positions, and a set has other ones in each process.

    Examples
    --------
    >>> check_listed({"ok"})
    Traceback (most recent call last):
    ...
    TypeError: labels are a list of names, got a set, which has no order. Use for example ['ok'].
    """
    if isinstance(names, str):
        raise TypeError(f"labels must be a list of names, got the text {names!r}. Use for example ['ok', 'offensive'].")
    if isinstance(names, set | frozenset):
        raise TypeError(
            f"labels are a list of names, got a set, which has no order. Use for example {sorted(map(str, names))!r}."
        )


def check_name(name: object) -> None:
    """Raise where a number stands for a name: known answers are matched by their text, 1 by the label '1'.

    Raises
    ------
    TypeError
        It is a number or a truth value.

    Examples
    --------
    >>> check_name(1)
    Traceback (most recent call last):
    ...
    TypeError: A label is named by a text, got 1. Pass '1': known answers that are 1 match it.
    """
    if isinstance(name, numbers.Number) or type(name).__name__ == "bool_":
        raise TypeError(
            f"A label is named by a text, got {name!r}. Pass {str(label_name(name))!r}: "  # type: ignore[arg-type]
            f"known answers that are {name} match it."
        )


def label_names(names: Iterable[str]) -> tuple[str, ...]:
    r"""Return names in the form that is kept.

    Raises
    ------
    ValueError
        Two of them are one name.

    Examples
    --------
    >>> label_names(["ok", "ok "])
    Traceback (most recent call last):
    ...
    ValueError: The label 'ok' is there twice, as 'ok' and as 'ok '. Each label needs a name of its own.
    """
    check_listed(names)
    kept: dict[str, str] = {}
    for given in names:
        check_name(given)
        name = label_name(given)
        if name in kept:
            how = "" if kept[name] == given else f", as {kept[name]!r} and as {given!r}"
            raise ValueError(f"The label {name!r} is there twice{how}. Each label needs a name of its own.")
        kept[name] = given
    return tuple(kept)


def find_label(name: str | bool, names: Sequence[str]) -> int | None:
    """Return the position of a name among others, None where it is not there.

    Programs write truth values as ``true``, ``True`` and ``TRUE``: any of them finds the one class that is
    called so.

    Examples
    --------
    >>> find_label("ok ", ["ok", "bad"]), find_label("True", ["no", "true"]), find_label("Ok", ["ok", "bad"])
    (0, 1, None)
    """
    wanted, known = label_name(name), [label_name(each) for each in names]
    if wanted in known:
        return known.index(wanted)
    if isinstance(wanted, str) and wanted.casefold() in _TRUTH:
        alike = [at for at, each in enumerate(known) if isinstance(each, str) and each.casefold() == wanted.casefold()]
        return alike[0] if len(alike) == 1 else None
    return None


def label_position(name: str | bool, names: Sequence[str]) -> int:
    """Return the position of a name among others.

    Raises
    ------
    ValueError
        It is not there.
    """
    position = find_label(name, names)
    if position is None:
        raise ValueError(f"{name!r} is not a class. Known: {', '.join(map(str, names))}.")
    return position


def spellings(names: Sequence[str]) -> dict[str, int]:
    r"""Return how a column may write each name, composed or not, with its position.

    Blanks around a value are left to whoever reads the column.

    Examples
    --------
    >>> {ascii(name): position for name, position in spellings(["caf\u00e9", "no"]).items()}
    {"'caf\\xe9'": 0, "'cafe\\u0301'": 0, "'no'": 1}
    """
    found: dict[str, int] = {}
    for position, name in enumerate(str(label_name(name)) for name in names):
        for form in _FORMS:
            found.setdefault(unicodedata.normalize(form, name), position)
    for truth in _TRUTH:
        for written in (truth, truth.capitalize(), truth.upper()):
            place = find_label(written, names)
            if place is not None:
                found.setdefault(written, place)
    return found
