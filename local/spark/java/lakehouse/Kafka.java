package lakehouse;

import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SQLContext;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.kafka010.KafkaSourceProvider;
import org.apache.spark.sql.sources.BaseRelation;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;
import scala.Option;
import scala.Tuple2;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Spark's own source and sink {@code kafka}, whose options are checked as Databricks checks them before anything is read.
 *
 * <p>It takes the name {@code kafka} from Spark's class, which the installation leaves without one. Spark asks for a table
 * (reads, streams, appends), for the schema of a stream, or for a relation (other writes); each of them is a way in.
 */
public class Kafka extends KafkaSourceProvider {
  @Override
  public KafkaTable getTable(CaseInsensitiveStringMap options) {
    KafkaAccess.check(options);
    return super.getTable(options);
  }

  @Override
  public Tuple2<String, StructType> sourceSchema(
      SQLContext context, Option<StructType> schema, String name, scala.collection.immutable.Map<String, String> options) {
    KafkaAccess.check(plain(options));
    return super.sourceSchema(context, schema, name, options);
  }

  @Override
  public BaseRelation createRelation(SQLContext context, scala.collection.immutable.Map<String, String> options) {
    KafkaAccess.check(plain(options));
    return super.createRelation(context, options);
  }

  @Override
  public BaseRelation createRelation(
      SQLContext context, SaveMode mode, scala.collection.immutable.Map<String, String> options, Dataset<Row> rows) {
    KafkaAccess.check(plain(options));
    return super.createRelation(context, mode, options, rows);
  }

  private static Map<String, String> plain(scala.collection.immutable.Map<String, String> options) {
    return new CaseInsensitiveStringMap(CollectionConverters.asJava(options));
  }
}
