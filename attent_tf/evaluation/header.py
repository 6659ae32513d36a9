"""What an evaluation says beside its scores: what was evaluated, and how."""

from typing import Any, NotRequired, TypedDict

from attent_tf.errors import ConfigError

REQUIRED_HEADER = ("method", "direction", "protocol", "seed")

# What the evaluation itself says.
_OWN_KEYS = (
    "task",
    "protocol_text",
    "scored_unit",
    "statistics_text",
    "cases",
    "organs",
    "average",
    "average_ci95",
    "failures",
    "organs_compared",
    "postprocessing",
    "without_postprocessing",
)


class GivenHeader(TypedDict):
    """What the evaluating code says. Other keys that JSON can hold are kept as well, and a report shows them as they are.

    Attributes:
      method: id of a method, or a name.
      direction: a direction of the task, such as `mri2ct`, or what else tells where the answers come from.
      protocol: a name in `PROTOCOLS`.
      seed: the seed of the run; None if there is none.
      config: name of the run's configuration.
      records: fingerprint of the records.
      selection: how the model was chosen, in words.
      warnings: lines for the report's head.
      signs: of `Signs.to_json`.
      grid_text, failures_text: how label files were brought together, and what counts for one that cannot be scored.
      label_map: by side, how label files are called and what their numbers mean.
    """

    method: str
    direction: str
    protocol: str
    seed: int | None
    config: NotRequired[str]
    records: NotRequired[str]
    selection: NotRequired[str]
    warnings: NotRequired[list[str]]
    signs: NotRequired[dict[str, Any]]
    grid_text: NotRequired[str]
    failures_text: NotRequired[str]
    label_map: NotRequired[dict[str, dict[str, Any]]]


class EvaluationHeader(GivenHeader):
    """What was given, and what the evaluation adds. Folders that an earlier version wrote may lack what is not given.

    Attributes:
      protocol_text: the protocol in words, with what was done to predictions.
      scored_unit: `volume` or `slice`.
      statistics_text: how intervals were made.
      organs_compared: structures that both sides know.
      postprocessing: of `Postprocessing.to_json`.
      failures: `CaseFailure` as JSON.
    """

    protocol_text: NotRequired[str]
    scored_unit: NotRequired[str]
    statistics_text: NotRequired[str]
    organs_compared: NotRequired[list[str]]
    postprocessing: NotRequired[dict[str, bool]]
    failures: NotRequired[list[dict[str, str]]]


def check_header(header: GivenHeader) -> None:
    """Refuses a header that lacks a key, or has one that the evaluation itself says.

    Raises:
      ConfigError: names the key.
    """
    for key in REQUIRED_HEADER:
        if key not in header:
            raise ConfigError(f"header of the evaluation: expected the key {key!r}, found none")
    for key in _OWN_KEYS:
        if key in header:
            raise ConfigError(f"header of the evaluation: the key {key!r} is reserved; choose another")
