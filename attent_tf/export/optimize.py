"""A chain made for use alone: batch norms folded, weights as constants, and these in half precision if so wished."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import graph_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from attent_tf.deployment.output import ChainOutput
from attent_tf.errors import RunError
from attent_tf.export.folding import fold_batch_norms
from attent_tf.inference.chain import Chain

# Smaller constants are axes, paddings and biases; they gain nothing.
_LEAST_VALUES = 256


def frozen_chain(chain: Chain, image: tf.TensorSpec, weights: str = "float32") -> Callable[[tf.Tensor], ChainOutput]:
    """Makes a function of the chain in which nothing is left that could be trained.

    Args:
      chain: is changed: the batch norms of its networks are folded.
      image: [None, size, size, channels] float32.
      weights: `float32`, or `float16`: kernels are stored rounded to half precision, which halves the file, and are cast
        back where they are used.

    Returns:
      The function, to be called in the signatures' graphs.

    Raises:
      RunError: a weight is too large for half precision.
    """
    for network in chain.networks:
        fold_batch_norms(network)

    @tf.function(autograph=False, input_signature=[image])
    def whole(image):
        return dict(chain(image)._asdict())

    # It gives the outputs in the order of their names.
    frozen = convert_variables_to_constants_v2(whole.get_concrete_function())
    names = sorted(ChainOutput._fields)
    graph = frozen.graph.as_graph_def()
    if weights == "float16":
        graph = _with_half_constants(graph)
    imported = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph, name=""), [])
    pruned = imported.prune(frozen.inputs[0].name, [tensor.name for tensor in frozen.outputs])
    shapes = {name: tensor.shape for name, tensor in zip(names, frozen.outputs, strict=True)}

    def run(image: tf.Tensor) -> ChainOutput:
        outputs = dict(zip(names, pruned(image), strict=True))
        return ChainOutput(**{name: tf.ensure_shape(outputs[name], shapes[name]) for name in names})

    return run


def _with_half_constants(graph: graph_pb2.GraphDef) -> graph_pb2.GraphDef:
    """Stores large float32 constants as float16, each with a cast back under the constant's own name."""
    halved = graph_pb2.GraphDef(versions=graph.versions, library=graph.library)
    for node in graph.node:
        values = tf.make_ndarray(node.attr["value"].tensor) if node.op == "Const" else None
        if values is None or values.dtype != np.float32 or values.size < _LEAST_VALUES:
            halved.node.append(node)
            continue
        if np.abs(values).max() > np.finfo(np.float16).max:
            raise RunError(f"--optimize float16: a weight exceeds {np.finfo(np.float16).max:g}; use --optimize float32")
        stored = halved.node.add(name=f"{node.name}/half", op="Const", device=node.device)
        stored.attr["dtype"].type = tf.float16.as_datatype_enum
        stored.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values.astype(np.float16)))
        cast = halved.node.add(name=node.name, op="Cast", input=[stored.name], device=node.device)
        cast.attr["SrcT"].type = tf.float16.as_datatype_enum
        cast.attr["DstT"].type = tf.float32.as_datatype_enum
    return halved
