package lakehouse;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * The files of this machine, where {@code /Volumes/CATALOG/SCHEMA/VOLUME} is the folder of a volume.
 *
 * <p>Only what Spark opens by path comes here, such as files and the checkpoints of streams.
 */
public class Volumes extends LocalFileSystem {
  private static final String ROOT = "/Volumes/";

  public Volumes() {
    super(new Raw());
  }

  private static class Raw extends RawLocalFileSystem {
    private File volumes;

    @Override
    public void initialize(URI uri, Configuration conf) throws IOException {
      volumes = new File(conf.get("lakehouse.volumes"));
      super.initialize(uri, conf);
    }

    @Override
    public File pathToFile(Path path) {
      File file = super.pathToFile(path);
      String name = file.getPath();
      if (!name.startsWith(ROOT)) {
        return file;
      }
      String[] parts = name.substring(ROOT.length()).split("/", 4);
      if (parts.length >= 3 && !new File(volumes, String.join("/", parts[0], parts[1], parts[2])).exists()) {
        throw new IllegalArgumentException("Volume '" + String.join(".", parts[0], parts[1], parts[2]) + "' does not exist");
      }
      return new File(volumes, name.substring(ROOT.length()));
    }
  }
}
