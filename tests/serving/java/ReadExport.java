import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.tensorflow.Result;
import org.tensorflow.SavedModelBundle;
import org.tensorflow.SessionFunction;
import org.tensorflow.Tensor;
import org.tensorflow.exceptions.TFInvalidArgumentException;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.types.TFloat32;

/**
 * Runs the signatures of an exported model with TensorFlow for Java.
 *
 * <p>java -cp CLASSPATH ReadExport.java MODEL FOLDER
 *
 * <p>FOLDER/requests.txt holds one request a line: its name, the signature, and INPUT=SIZE,SIZE,... for each input, whose
 * float32 values lie in FOLDER/NAME.INPUT.bin, little-endian. Prints one line for each: "NAME ok OUTPUT=TYPE:SIZE,SIZE ..."
 * with the values in FOLDER/NAME.out.OUTPUT.bin, or "NAME refused MESSAGE". The first line lists the signatures.
 */
public final class ReadExport {
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[1]);
    try (SavedModelBundle model = SavedModelBundle.load(arguments[0], "serve")) {
      Map<String, SessionFunction> functions = new TreeMap<>();
      for (SessionFunction function : model.functions()) {
        functions.put(function.signature().key(), function);
      }
      System.out.println("signatures " + String.join(" ", functions.keySet()));
      for (String line : Files.readAllLines(folder.resolve("requests.txt"))) {
        String[] words = line.split(" ");
        System.out.println(words[0] + " " + answer(functions.get(words[1]), words, folder));
      }
    }
  }

  private static String answer(SessionFunction function, String[] words, Path folder) throws IOException {
    Map<String, Tensor> inputs = new HashMap<>();
    try {
      for (int i = 2; i < words.length; i++) {
        String[] parts = words[i].split("=");
        inputs.put(parts[0], read(folder.resolve(words[0] + "." + parts[0] + ".bin"), parts[1]));
      }
      StringBuilder said = new StringBuilder("ok");
      try (Result outputs = function.call(inputs)) {
        for (Map.Entry<String, Tensor> output : outputs) {
          Tensor tensor = output.getValue();
          write(folder.resolve(words[0] + ".out." + output.getKey() + ".bin"), tensor);
          said.append(" ").append(output.getKey()).append("=").append(tensor.dataType()).append(":").append(sizes(tensor));
        }
      }
      return said.toString();
    } catch (TFInvalidArgumentException error) {
      return "refused " + error.getMessage().replaceAll("\\s+", " ");
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  private static Tensor read(Path file, String sizes) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    String[] words = sizes.split(",");
    long[] shape = new long[words.length];
    for (int i = 0; i < words.length; i++) {
      shape[i] = Long.parseLong(words[i]);
    }
    return TFloat32.tensorOf(Shape.of(shape), DataBuffers.of(values));
  }

  private static void write(Path file, Tensor tensor) throws IOException {
    byte[] content = new byte[(int) tensor.numBytes()];
    tensor.asRawTensor().data().read(content);
    Files.write(file, content);
  }

  private static String sizes(Tensor tensor) {
    StringBuilder text = new StringBuilder();
    for (long size : tensor.shape().asArray()) {
      text.append(text.length() == 0 ? "" : ",").append(size);
    }
    return text.toString();
  }
}
