"""Questions to a store: in order, some side by side, and never far ahead of who takes the answers."""

import threading

import pytest

from attent_tf.storage import answers


def test_requests_wait_side_by_side():
    # Neither of the two goes on without the other.
    meet = threading.Barrier(2, timeout=60)

    def ask(number):
        meet.wait()
        return -number

    assert list(answers(ask, range(2), remote=True)) == [0, -1]


def test_answers_come_in_order_whichever_is_there_first():
    # The first answer is there only when the second one is.
    second = threading.Event()

    def ask(number):
        if number == 0:
            assert second.wait(60)
        if number == 1:
            second.set()
        return -number

    assert list(answers(ask, range(100), remote=True)) == [-number for number in range(100)]


def test_local_files_are_asked_by_this_thread_when_the_answer_is_wanted():
    asked = []
    found = answers(lambda number: asked.append(threading.current_thread()) or number, range(3), remote=False)
    assert next(found) == 0
    assert asked == [threading.current_thread()]


def test_few_questions_are_taken_ahead():
    taken = []
    found = answers(lambda number: number, (taken.append(number) or number for number in range(1000)), remote=True)
    assert [next(found) for _ in range(10)] == list(range(10))
    assert len(taken) < 100
    found.close()


def test_what_a_question_raises_is_raised():
    def ask(number):
        if number == 3:
            raise FileNotFoundError("gone")
        return number

    found = answers(ask, range(5), remote=True)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(FileNotFoundError, match="gone"):
        next(found)
