"""What whole runs are trained on."""

import pytest


@pytest.fixture(scope="session")
def records(small_records):
    return small_records
