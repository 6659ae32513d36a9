"""A dozen scans from three clients: whatever the server does, each ends right or as one line."""

import pytest

from tests.serving.load import Load, run_load

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["rest", "grpc"])
def test_scans_reach_their_end_through_faults_and_an_outage(kind, tmp_path):
    # 503 is asked again. Half an answer is asked for again over REST; over gRPC it is a message that nobody can read.
    faults = {"busy": 5, "slow": 7, "slow_s": 0.3} | ({"cut": 11} if kind == "rest" else {})
    outcome = run_load(tmp_path, Load(kind, scans=12, clients=3, outages=(3,), outage_s=0.5, settings=faults))
    assert len(outcome.right) + len(outcome.told) == 12
    # How many meet the outage depends on how fast the machine starts a server; those before it do not.
    assert len(outcome.right) >= 3, outcome.told
    # A request whose attempts met the outage may find the server busy with its last, and is told that.
    reasons = ("expected a TensorFlow Serving that answers", "queue is full")
    assert all(any(reason in line for reason in reasons) for line in outcome.told.values()), outcome.told
    assert 20 < outcome.client_mb < 300
    assert 20 < outcome.server_mb < 300


@pytest.mark.parametrize("kind", ["rest", "grpc"])
def test_scans_whose_answers_are_no_answers_are_told_each_and_the_others_are_done(kind, tmp_path):
    outcome = run_load(tmp_path, Load(kind, scans=4, clients=1, slices=2, settings={"cut": 2}))
    if kind == "rest":
        assert len(outcome.right) == 4
    else:
        assert len(outcome.right) == len(outcome.told) == 2
        assert all("expected a PredictResponse, found" in line for line in outcome.told.values())


def test_scans_for_a_server_that_knows_another_token_are_all_told(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTENT_SERVER_TOKEN", "wr0ng")
    outcome = run_load(tmp_path, Load("rest", scans=2, clients=1, settings={"token": "right"}))
    assert not outcome.right
    assert all("no such token" in line and "wr0ng" not in line for line in outcome.told.values())
