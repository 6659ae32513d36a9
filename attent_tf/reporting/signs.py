"""What a report says of signs that need no labels."""

import dataclasses
from collections.abc import Mapping, Sequence

from attent_tf.errors import InputError
from attent_tf.evaluation.folder import Evaluation
from attent_tf.reporting.wording import UNDEFINED, in_sentence, number
from attent_tf.signs import RULES, Sign, Signs

_DIGITS = 2


@dataclasses.dataclass(frozen=True)
class SignCell:
    """A sign of one method.

    Attributes:
      text: its number, or why there is none.
      verdict: `green`, `amber`, `red`, or empty where it was left out.
      details: what stands smaller below it: the source's number, or those of the structures.
    """

    text: str
    verdict: str = ""
    details: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class SignTable:
    """The signs of the methods of one direction.

    Attributes:
      labels: the labels of the methods that have signs, in their order.
      rows: title of a sign and its cell for each method; the last is of all together.
      meanings: (title, meaning, thresholds) of each sign.
      remarks: sentences on what was looked at, what was left out, and the estimate of Dice.
    """

    labels: tuple[str, ...]
    rows: list[tuple[str, tuple[SignCell, ...]]]
    meanings: list[tuple[str, str, str]]
    remarks: list[str]


def sign_table(entries: Sequence[tuple[str, Evaluation]]) -> SignTable | None:
    """Makes the table of signs of one direction; None if no evaluation has any.

    Args:
      entries: (label, evaluation) of each method, all of one task.

    Raises:
      InputError: an evaluation holds something else in their place.
    """
    titles = entries[0][1].task.titles
    found = [(label, signs) for label, evaluation in entries if (signs := _signs_of(evaluation))]
    if not found:
        return None
    taken = {sign.id: sign for _, signs in found for sign in signs.signs}
    # In the order in which signs are judged, whichever method has them.
    shown = [taken[key] for key in dict.fromkeys((*RULES, *taken)) if key in taken]
    return SignTable(
        tuple(label for label, _ in found),
        [
            *((sign.title, tuple(_cell(signs, sign.id, titles) for _, signs in found)) for sign in shown),
            ("Together", tuple(SignCell(signs.counted, signs.verdict) for _, signs in found)),
        ],
        [(sign.title, sign.meaning, sign.thresholds) for sign in shown],
        [*_estimates(found), *_left_out(found)],
    )


def _signs_of(evaluation: Evaluation) -> Signs | None:
    content = evaluation.header.get("signs")
    if not content:
        return None
    try:
        return Signs.from_json(content)
    except ValueError as error:
        raise InputError(f"{evaluation.folder / 'metrics.json'}: {error}; evaluate again") from error


def _cell(signs: Signs, sign_id: str, titles: Mapping[str, str]) -> SignCell:
    for sign in signs.signs:
        if sign.id == sign_id:
            return SignCell(number(sign.value, _DIGITS), sign.verdict, tuple(_details(sign, titles)))
    return SignCell(UNDEFINED)


def _details(sign: Sign, titles: Mapping[str, str]):
    if sign.reference is not None:
        yield f"source {number(sign.reference, _DIGITS)}"
    for name, value in sign.organs.items():
        yield f"{in_sentence(titles.get(name, name))} {UNDEFINED if value is None else number(value, _DIGITS)}"


def _estimates(found: Sequence[tuple[str, Signs]]):
    for label, signs in found:
        if signs.estimate:
            yield f"{label}: {signs.estimate.sentence}" if len(found) > 1 else signs.estimate.sentence


def _left_out(found: Sequence[tuple[str, Signs]]):
    """One sentence for all methods; the same reason of several stands once."""
    concerned: dict[tuple[str, str], list[str]] = {}
    for label, signs in found:
        for sign in signs.left_out:
            concerned.setdefault((sign.title.lower(), sign.reason), []).append(label)
    parts = [
        f"{title} ({reason}{'' if len(labels) == len(found) else ': ' + ', '.join(labels)})"
        for (title, reason), labels in concerned.items()
    ]
    if parts:
        yield f"Left out: {'; '.join(parts)}."
