"""Messages and a gRPC server made of TensorFlow Serving's own API package, in a process of its own.

    python official_server.py MODEL_FOLDER MESSAGES_FOLDER

First the messages: NAME.PredictRequest and the like in the folder are read with Serving's classes, what they do not know is
thrown away, and what is left is written again to NAME.again; answers in both forms of a tensor are written beside them, with
what the warm-up file asks for in warmup.json. Then the model is served as `attent`. Prints `ready PORT` and ends when its
standard input does. A process of its own, as those classes register TensorFlow's messages by their own names.
"""

import concurrent.futures
import json
import pathlib
import sys

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

_CLASSES = {
    "PredictRequest": predict_pb2.PredictRequest,
    "GetModelMetadataRequest": get_model_metadata_pb2.GetModelMetadataRequest,
    "PredictionLog": prediction_log_pb2.PredictionLog,
}


def read_messages(model: pathlib.Path, folder: pathlib.Path) -> None:
    for path in sorted(folder.iterdir()):
        message = _CLASSES[path.suffix[1:]].FromString(path.read_bytes())
        message.DiscardUnknownFields()
        path.with_suffix(".again").write_bytes(message.SerializeToString(deterministic=True))
        if path.suffix == ".PredictRequest":
            inputs = {name: tf.make_ndarray(tensor) for name, tensor in message.inputs.items()}
            np.savez(path.with_suffix(".npz"), **inputs)
    values = np.linspace(-1, 1, 6, dtype=np.float32).reshape(1, 2, 3)
    packed, listed = predict_pb2.PredictResponse(), predict_pb2.PredictResponse()
    for name, array in (("probabilities", values), ("labels", np.arange(6).reshape(1, 2, 3))):
        tensor = tf.make_tensor_proto(array)
        assert tensor.tensor_content
        packed.outputs[name].CopyFrom(tensor)
        listed.outputs[name].CopyFrom(tensor)
        listed.outputs[name].ClearField("tensor_content")
        field = listed.outputs[name].float_val if array.dtype == np.float32 else listed.outputs[name].int64_val
        field.extend(array.ravel().tolist())
    packed.model_spec.name = "attent"
    for name, answer in (("packed", packed), ("listed", listed)):
        (folder / f"{name}.answer").write_bytes(answer.SerializeToString())
    warmup = []
    for record in tf.data.TFRecordDataset(str(model / "assets.extra" / "tf_serving_warmup_requests")):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        shapes = {name: list(tf.make_ndarray(tensor).shape) for name, tensor in request.inputs.items()}
        warmup.append([request.model_spec.signature_name, shapes])
    (folder / "warmup.json").write_text(json.dumps(warmup))


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    """One version of a model under the name `attent`."""

    def __init__(self, saved: pathlib.Path):
        self._signatures = tf.saved_model.load(str(saved)).signatures
        content = saved_model_pb2.SavedModel.FromString((saved / "saved_model.pb").read_bytes())
        self._definitions = content.meta_graphs[0].signature_def

    def _check(self, spec, context):
        if spec.name != "attent":
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Latest({spec.name})")
        if spec.HasField("version") and spec.version.value != 1:
            context.abort(
                grpc.StatusCode.NOT_FOUND,
                f"Servable not found for request: Specific({spec.name}, {spec.version.value})",
            )

    def Predict(self, request, context):  # noqa: N802 - Serving's name
        self._check(request.model_spec, context)
        name = request.model_spec.signature_name or "serving_default"
        inputs = {key: tf.constant(tf.make_ndarray(tensor)) for key, tensor in request.inputs.items()}
        try:
            outputs = self._signatures[name](**inputs)
        except tf.errors.InvalidArgumentError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        answer = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for key, value in outputs.items():
            answer.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return answer

    def GetModelMetadata(self, request, context):  # noqa: N802 - Serving's name
        self._check(request.model_spec, context)
        assert list(request.metadata_field) == ["signature_def"]
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in self._definitions.items():
            signatures.signature_def[name].CopyFrom(definition)
        answer = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=request.model_spec)
        answer.metadata["signature_def"].Pack(signatures)
        return answer


def main() -> None:
    model, folder = (pathlib.Path(word) for word in sys.argv[1:])
    read_messages(model, folder)
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(model), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print("ready", port, flush=True)
    sys.stdin.read()
    server.stop(None).wait()


if __name__ == "__main__":
    main()
