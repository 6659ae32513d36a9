"""What a run and the contract of an exported model have in common. No TensorFlow."""

from typing import Protocol, TypedDict

from attent_tf.methods import Method
from attent_tf.postprocessing import Postprocessing
from attent_tf.tasks import Task
from attent_tf.volumes import PrepareOptions


class ModelDescription(TypedDict):
    """What a report says of any trained model; where it lies, and what else is known of it, differs."""

    method: str
    direction: str
    task: str
    target: str
    records: str


class TrainedModel(Protocol):
    """What was trained, and how scans are made ready for it: a `Run`, or a `ModelContract` in its place."""

    @property
    def method(self) -> Method:
        """The method that it was trained by."""

    @property
    def direction(self) -> str:
        """From which domain of the task to which, such as `mri2ct`."""

    @property
    def records(self) -> str:
        """Fingerprint of the records that it was trained on."""

    @property
    def task(self) -> Task:
        """The task whose classes its labels are."""

    @property
    def source(self) -> str:
        """The domain that its labels come from."""

    @property
    def target(self) -> str:
        """The domain of the scans that it segments."""

    @property
    def prepare_options(self) -> PrepareOptions:
        """How scans are prepared: as its training records were."""

    @property
    def postprocessing(self) -> Postprocessing:
        """Postprocessing of its label maps, unless another is asked for."""

    def describe(self) -> ModelDescription:
        """Returns what a report says of it, as JSON."""
