"""What the outer loop takes its batches from."""

import tensorflow as tf

from attent_tf.data.batches import Share
from attent_tf.training.loop import replica_batches


def test_one_replica_takes_batches_as_the_pipeline_makes_them():
    """A strategy's iterator has pipelines of its own, which tune themselves, and letting it go waits for the thread that does."""
    asked = []

    def make_data(first):
        def made(share):
            asked.append((first, share))
            return tf.data.Dataset.range(first, 9)

        return made

    data = replica_batches(3, make_data, tf.distribute.MirroredStrategy(["CPU:0"]))
    assert asked == [(3, Share())]
    assert [int(next(data)) for _ in range(3)] == [3, 4, 5]
    assert not isinstance(data, tf.distribute.DistributedIterator)
