"""Which options of a command that uses a server go together."""

import json

import pytest

from attent_tf.configs import load_config
from attent_tf.errors import ConfigError, InputError
from attent_tf.methods import get_method
from attent_tf.runs import Run, create_or_check
from attent_tf.tasks import load_task
from attent_tf.volumes import PrepareOptions
from cli.remote import read_source
from tests.deployment.test_contract import _GOOD


@pytest.mark.parametrize(
    ("run", "server", "metadata", "message"),
    [
        (
            None,
            None,
            None,
            "expected --run RUN, --model FILE, or --server URL with --model-metadata FILE, found neither",
        ),
        (None, "http://host:1", None, "found neither"),
        ("run", "http://host:1", "metadata.json", "found both"),
        (None, None, "metadata.json", "expected --server URL beside it"),
    ],
)
def test_options_that_do_not_go_together_are_refused(run, server, metadata, message):
    with pytest.raises(ConfigError, match=message):
        read_source(run, server, metadata)


def test_a_run_says_it_with_a_server_and_without(tmp_path):
    options = PrepareOptions(pixel_mm=2.0)
    run = Run(tmp_path / "run", get_method("attent"), "mri2ct", load_config("demo", []), "abc", options, load_task())
    create_or_check(run, ())
    for server in (None, "http://host:1"):
        assert read_source(str(run.folder), server, None).prepare_options == options


def test_a_models_metadata_stands_in_for_a_run(tmp_path):
    (tmp_path / "metadata.json").write_text(json.dumps(_GOOD))
    source = read_source(None, "http://host:1", str(tmp_path))
    assert (source.source, source.target, source.prepare_options.channels) == ("ct", "mri", 3)
    with pytest.raises(InputError, match="no such file"):
        read_source(None, "http://host:1", str(tmp_path / "nothing.json"))
