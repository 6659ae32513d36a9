"""What the outer loop takes its batches from."""

import tensorflow as tf

from attent_tf.training.loop import _batches_from


def test_one_replica_on_a_processor_takes_batches_as_the_pipeline_makes_them(monkeypatch):
    """A strategy's iterator has pipelines of its own, which tune themselves, and letting it go waits for the thread that does."""
    monkeypatch.setattr("attent_tf.training.loop.on_processor", lambda: True)
    asked = []

    def make_data(first, worker):
        asked.append((first, worker))
        return tf.data.Dataset.range(first, 9)

    data = _batches_from(3, make_data, tf.distribute.MirroredStrategy(["CPU:0"]))
    assert asked == [(3, 0)]
    assert [int(next(data)) for _ in range(3)] == [3, 4, 5]
    assert not isinstance(data, tf.distribute.DistributedIterator)
