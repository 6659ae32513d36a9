import threading
import time

import pytest

from attent_tf.ahead import one_ahead


def test_all_items_come_in_their_order():
    assert list(one_ahead(range(5))) == [0, 1, 2, 3, 4]
    assert list(one_ahead([])) == []
    assert list(one_ahead([None, None])) == [None, None]


def test_the_next_item_is_made_while_one_is_in_use_and_no_further_one():
    made = [threading.Event() for _ in range(4)]

    def items():
        for index, event in enumerate(made):
            event.set()
            yield index

    steps = one_ahead(items())
    for index in range(3):
        assert next(steps) == index
        # Would wait in vain if the next one were made only when it is asked for.
        assert made[index + 1].wait(10)
        assert not any(event.is_set() for event in made[index + 2 :])
    steps.close()


def test_what_an_item_raises_comes_in_its_place():
    def items():
        yield 1
        raise OSError("disk")

    steps = one_ahead(items())
    assert next(steps) == 1
    with pytest.raises(OSError, match="disk"):
        next(steps)


@pytest.mark.parametrize("slow", [True, False])
def test_meanwhile_is_for_a_first_item_that_takes_long(slow):
    called = threading.Event()

    def items():
        yield called.wait(10) if slow else "at once"
        yield "second"

    assert list(one_ahead(items(), called.set, 0.05 if slow else 10.0))[1] == "second"
    assert called.is_set() == slow


def test_who_leaves_early_waits_for_what_is_being_made_alone():
    begun, ended = [], []

    def items():
        for index in range(5):
            begun.append(index)
            time.sleep(0.05)
            ended.append(index)
            yield index

    steps = one_ahead(items())
    next(steps)
    steps.close()
    assert begun == ended
    assert len(ended) <= 2
