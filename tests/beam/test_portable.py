"""The job through Beam's portable job API, by which FlinkRunner and SparkRunner hand over theirs too.

The job server is Beam's own in Python, reached over gRPC, with workers of the environment LOOPBACK. It shows that the pipeline
survives the way through the API; it is no cluster, and no test of Flink or Spark.
"""

import pytest

import beam_preprocess
from attent_tf.errors import InputError
from tests.support.digests import file_digests

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    from apache_beam.runners.portability.local_job_service import LocalJobServicer

    server = LocalJobServicer(str(tmp_path_factory.mktemp("staging")))
    port = server.start_grpc_server(0)
    yield ["--runner=PortableRunner", f"--job_endpoint=localhost:{port}", "--environment_type=LOOPBACK"]
    server.stop()


def test_cases_are_set_aside_and_counted_with_the_same_bytes(make_options, damaged, tmp_path, flags):
    local, portable = [], []
    for name, beam_options, lines in (("local", [], local), ("portable", flags, portable)):
        options = make_options(ct=str(damaged), out=str(tmp_path / name), on_error="skip")
        beam_preprocess.run(options, beam_options, lines.append)
    assert file_digests(tmp_path / "portable") == file_digests(tmp_path / "local")
    assert "rejected.jsonl" in file_digests(tmp_path / "portable")
    assert portable[-1] == local[-1] == "Counted by the workers: 4 cases, 23 slices, 1 rejected (content 1)"


def test_a_refused_case_is_one_line_and_leaves_nothing(make_options, damaged, tmp_path, flags):
    with pytest.raises(InputError, match=r"img0002\.nii\.gz: ") as refused:
        beam_preprocess.run(make_options(ct=damaged), flags)
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


def test_the_program_waits_for_the_end_even_if_told_not_to(make_options, tmp_path, flags):
    """The folder is published when the job is over, and only then."""
    manifest = beam_preprocess.run(make_options(), [*flags, "--no_wait_until_finish"])
    assert len(manifest.cases) == 5
