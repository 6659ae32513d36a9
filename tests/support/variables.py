"""Variables that are quick to make: the suite makes networks again and again."""


def share_kernels() -> None:
    """Lets all variables of a shape share one of TensorFlow's kernels.

    It makes one for each name otherwise, and a variable takes three times as long.
    """
    from tensorflow.python.ops import gen_resource_variable_ops

    make_handle = gen_resource_variable_ops.var_handle_op

    def make_handle_of_one_name(*args, debug_name=None, **kwargs):
        del debug_name
        return make_handle(*args, debug_name="variable", **kwargs)

    gen_resource_variable_ops.var_handle_op = make_handle_of_one_name
