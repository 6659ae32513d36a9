"""What the outer loop takes its batches from, and what is traced of it."""

import inspect
import types

import tensorflow as tf

from attent_tf.data.batches import Share
from attent_tf.training.loop import _compile, replica_batches


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


def test_steps_are_traced_as_they_stand_and_the_loop_over_them_counts():
    """What AutoGraph rewrites lies in a file of its own, and takes longer to trace."""
    files = []

    def update(phase, position, value):
        files.append(inspect.currentframe().f_code.co_filename)
        del phase
        return {"sum": tf.cast(position + value, tf.float32)}

    def follow(position):
        files.append(inspect.currentframe().f_code.co_filename)
        del position

    inner = types.SimpleNamespace(update=update, follow=follow, metric_names=("sum",), weight_updates={})
    train = _compile(inner, tf.Variable(0, dtype=tf.int64))
    data = iter(tf.data.Dataset.from_tensor_slices(tf.constant([10, 20, 30, 40], tf.int64)).map(lambda x: (x,)))
    means = [float(train("joint", data, tf.constant(count))["sum"]) for count in (3, 1)]
    assert means == [(10 + 21 + 32) / 3, 43]
    assert set(files) == {__file__}
