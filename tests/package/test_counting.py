import pytest

from attent_tf.counting import counted


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ["case"], "0 cases"),
        (1, ["case"], "1 case"),
        (2, ["case"], "2 cases"),
        (1, ["file that is no slice", "files that are no slices"], "1 file that is no slice"),
        (2, ["file that is no slice", "files that are no slices"], "2 files that are no slices"),
    ],
)
def test_one_is_singular(number, words, said):
    assert counted(number, *words) == said
