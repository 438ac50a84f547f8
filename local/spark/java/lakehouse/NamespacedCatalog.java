package lakehouse;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.analysis.NamespaceAlreadyExistsException;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.catalyst.analysis.NonEmptyNamespaceException;
import org.apache.spark.sql.catalyst.analysis.TableAlreadyExistsException;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.NamespaceChange;
import org.apache.spark.sql.connector.catalog.StagedTable;
import org.apache.spark.sql.connector.catalog.StagingTableCatalog;
import org.apache.spark.sql.connector.catalog.SupportsNamespaces;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.catalog.TableCatalogCapability;
import org.apache.spark.sql.connector.catalog.TableChange;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * A catalog whose schemas are databases of Spark's session catalog, named {@code <catalog>__<schema>}.
 *
 * <p>Spark's metastore has two levels, Unity Catalog three. Delta's own catalog replaces the session catalog and knows
 * how to commit; this class only translates names, so that {@code churn_local.silver.customer} is the Delta table
 * {@code churn_local__silver.customer}, with its files under {@code silver/customer} of the catalog's folder.
 */
public class NamespacedCatalog implements StagingTableCatalog, SupportsNamespaces {
  static final String SEPARATOR = "__";

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
  public String[] defaultNamespace() {
    return new String[] {"default"};
  }

  @Override
  public Set<TableCatalogCapability> capabilities() {
    return tables().capabilities();
  }

  @Override
  public Identifier[] listTables(String[] namespace) throws NoSuchNamespaceException {
    return Arrays.stream(tables().listTables(database(namespace)))
        .map(table -> Identifier.of(namespace, table.name()))
        .toArray(Identifier[]::new);
  }

  @Override
  public Table loadTable(Identifier table) throws NoSuchTableException {
    return tables().loadTable(translated(table));
  }

  @Override
  public Table loadTable(Identifier table, String version) throws NoSuchTableException {
    return tables().loadTable(translated(table), version);
  }

  @Override
  public Table loadTable(Identifier table, long timestamp) throws NoSuchTableException {
    return tables().loadTable(translated(table), timestamp);
  }

  @Override
  public void invalidateTable(Identifier table) {
    tables().invalidateTable(translated(table));
  }

  @Override
  public boolean tableExists(Identifier table) {
    return tables().tableExists(translated(table));
  }

  @Override
  public Table createTable(Identifier table, Column[] columns, Transform[] partitions, Map<String, String> properties)
      throws TableAlreadyExistsException, NoSuchNamespaceException {
    return tables().createTable(translated(table), columns, partitions, properties);
  }

  @Override
  public Table alterTable(Identifier table, TableChange... changes) throws NoSuchTableException {
    return tables().alterTable(translated(table), changes);
  }

  @Override
  public boolean dropTable(Identifier table) {
    return tables().dropTable(translated(table));
  }

  @Override
  public void renameTable(Identifier from, Identifier to) throws NoSuchTableException, TableAlreadyExistsException {
    tables().renameTable(translated(from), translated(to));
  }

  @Override
  public StagedTable stageCreate(
      Identifier table, Column[] columns, Transform[] partitions, Map<String, String> properties)
      throws TableAlreadyExistsException, NoSuchNamespaceException {
    return tables().stageCreate(translated(table), columns, partitions, properties);
  }

  @Override
  public StagedTable stageReplace(
      Identifier table, Column[] columns, Transform[] partitions, Map<String, String> properties)
      throws NoSuchNamespaceException, NoSuchTableException {
    return tables().stageReplace(translated(table), columns, partitions, properties);
  }

  @Override
  public StagedTable stageCreateOrReplace(
      Identifier table, Column[] columns, Transform[] partitions, Map<String, String> properties)
      throws NoSuchNamespaceException {
    return tables().stageCreateOrReplace(translated(table), columns, partitions, properties);
  }

  @Override
  public String[][] listNamespaces() throws NoSuchNamespaceException {
    String prefix = name + SEPARATOR;
    return Arrays.stream(schemas().listNamespaces())
        .filter(database -> database[0].startsWith(prefix))
        .map(database -> new String[] {database[0].substring(prefix.length())})
        .toArray(String[][]::new);
  }

  @Override
  public String[][] listNamespaces(String[] parent) throws NoSuchNamespaceException {
    return parent.length == 0 ? listNamespaces() : new String[0][];
  }

  @Override
  public boolean namespaceExists(String[] namespace) {
    return schemas().namespaceExists(database(namespace));
  }

  @Override
  public Map<String, String> loadNamespaceMetadata(String[] namespace) throws NoSuchNamespaceException {
    return schemas().loadNamespaceMetadata(database(namespace));
  }

  @Override
  public void createNamespace(String[] namespace, Map<String, String> metadata) throws NamespaceAlreadyExistsException {
    Map<String, String> located = new HashMap<>(metadata);
    located.putIfAbsent(TableCatalog.PROP_LOCATION, Catalogs.tables(name).resolve(namespace[0]).toUri().toString());
    schemas().createNamespace(database(namespace), located);
  }

  @Override
  public void alterNamespace(String[] namespace, NamespaceChange... changes) throws NoSuchNamespaceException {
    schemas().alterNamespace(database(namespace), changes);
  }

  @Override
  public boolean dropNamespace(String[] namespace, boolean cascade)
      throws NoSuchNamespaceException, NonEmptyNamespaceException {
    return schemas().dropNamespace(database(namespace), cascade);
  }

  private StagingTableCatalog tables() {
    return (StagingTableCatalog) Catalogs.sessionCatalog();
  }

  private SupportsNamespaces schemas() {
    return (SupportsNamespaces) Catalogs.sessionCatalog();
  }

  private String[] database(String[] namespace) {
    return namespace.length == 0 ? namespace : new String[] {name + SEPARATOR + namespace[0]};
  }

  private Identifier translated(Identifier table) {
    return Identifier.of(database(table.namespace()), table.name());
  }
}
