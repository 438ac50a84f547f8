package lakehouse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.internal.config.ConfigEntry$;
import org.apache.spark.sql.catalyst.analysis.NamespaceAlreadyExistsException;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.NonEmptyNamespaceException;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.CatalogPlugin;
import org.apache.spark.sql.connector.catalog.NamespaceChange;
import org.apache.spark.sql.connector.catalog.SupportsNamespaces;
import org.apache.spark.sql.internal.SQLConf$;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * The catalog of catalogs, configured under the name {@code catalogs}: its schemas are the server's catalogs.
 *
 * <p>{@code CREATE SCHEMA catalogs.churn_local} makes {@code churn_local.<schema>.<table>} usable in every session at
 * once, running ones included; {@code DROP SCHEMA catalogs.churn_local [CASCADE]} takes it away. A catalog is a folder
 * of the warehouse, or with {@code LOCATION} a link there to the folder of its tables; hence it survives a restart: the
 * server registers those that it finds when it starts.
 *
 * <p>Spark looks a catalog's class up under {@code spark.sql.catalog.<name>}, in the session's settings first and then
 * among the defaults of registered configuration entries, which all sessions share. A catalog is such an entry.
 */
public class Catalogs implements CatalogPlugin, SupportsNamespaces {
  private static final String PREFIX = "spark.sql.catalog.";
  private static final SQLConf$ ENTRIES = SQLConf$.MODULE$;

  private String name;

  @Override
  public void initialize(String name, CaseInsensitiveStringMap options) {
    this.name = name;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String[][] listNamespaces() {
    try (Stream<Path> folders = Files.list(warehouse())) {
      return folders
          .filter(Files::isDirectory)
          .map(folder -> new String[] {folder.getFileName().toString()})
          .toArray(String[][]::new);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String[][] listNamespaces(String[] parent) {
    return parent.length == 0 ? listNamespaces() : new String[0][];
  }

  @Override
  public boolean namespaceExists(String[] catalog) {
    return Files.isDirectory(folder(catalog[0]));
  }

  @Override
  public Map<String, String> loadNamespaceMetadata(String[] catalog) throws NoSuchNamespaceException {
    if (!namespaceExists(catalog)) {
      throw new NoSuchNamespaceException(catalog);
    }
    return Map.of(PROP_LOCATION, folder(catalog[0]).toUri().toString());
  }

  @Override
  public void createNamespace(String[] catalog, Map<String, String> metadata) throws NamespaceAlreadyExistsException {
    if (catalog[0].contains(NamespacedCatalog.SEPARATOR) || catalog[0].endsWith("_")) {
      // `a__b` would be listed as schemas of `a`, and `a_` with a schema `b` has the database of `a` with `_b`
      throw new IllegalArgumentException(
          "catalog `" + catalog[0] + "`: take a name without __ and without _ at its end");
    }
    if (namespaceExists(catalog)) {
      throw new NamespaceAlreadyExistsException(catalog);
    }
    try {
      if (metadata.containsKey(PROP_LOCATION)) {
        Path located = Files.createDirectories(Path.of(URI.create(metadata.get(PROP_LOCATION)).getPath()));
        Files.deleteIfExists(folder(catalog[0])); // a link to a folder that is gone
        Files.createSymbolicLink(folder(catalog[0]), located);
      } else {
        Files.createDirectories(folder(catalog[0]));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    register(catalog[0]);
  }

  @Override
  public void alterNamespace(String[] catalog, NamespaceChange... changes) {
    throw new UnsupportedOperationException("a catalog has no properties here: the workspace keeps them");
  }

  @Override
  public boolean dropNamespace(String[] catalog, boolean cascade)
      throws NoSuchNamespaceException, NonEmptyNamespaceException {
    if (!namespaceExists(catalog)) {
      return false;
    }
    NamespacedCatalog schemas = new NamespacedCatalog();
    schemas.initialize(catalog[0], CaseInsensitiveStringMap.empty());
    String[][] names = schemas.listNamespaces();
    if (names.length > 0 && !cascade) {
      throw new NonEmptyNamespaceException(catalog);
    }
    for (String[] schema : names) {
      schemas.dropNamespace(schema, true);
    }
    // One that the server knew when it started is a setting of the server, and goes with it.
    if (ENTRIES.containsConfigKey(PREFIX + catalog[0])) {
      ENTRIES.unregister(ENTRIES.getConfigEntry(PREFIX + catalog[0]));
      ConfigEntry$.MODULE$.knownConfigs().remove(PREFIX + catalog[0]); // else none of this name can be made again
    }
    try {
      Files.delete(folder(catalog[0]));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return true;
  }

  /** Makes a catalog known to every session of this server. */
  static void register(String catalog) {
    if (!ENTRIES.containsConfigKey(PREFIX + catalog)) {
      ENTRIES.buildConf(PREFIX + catalog).internal().stringConf().createWithDefault(NamespacedCatalog.class.getName());
    }
  }

  /** The folder of a catalog's tables, wherever it lies. */
  static Path tables(String catalog) {
    try {
      return folder(catalog).toRealPath();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The entry of a catalog in the warehouse. */
  private static Path folder(String catalog) {
    return warehouse().resolve(catalog);
  }

  static Path warehouse() {
    return Path.of(URI.create(SparkSession.active().sessionState().conf().warehousePath()));
  }

  /** Delta's catalog, over Spark's metastore. */
  static CatalogPlugin sessionCatalog() {
    return SparkSession.active().sessionState().catalogManager().catalog("spark_catalog");
  }
}
