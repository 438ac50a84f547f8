package lakehouse;

import java.util.List;
import java.util.Optional;
import org.apache.spark.connect.proto.Deduplicate;
import org.apache.spark.connect.proto.WithWatermark;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute;
import org.apache.spark.sql.catalyst.analysis.UnresolvedEventTimeWatermark;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.plans.logical.DeduplicateWithinWatermark;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.util.IntervalUtils;
import org.apache.spark.sql.connect.planner.SparkConnectPlanner;
import org.apache.spark.sql.connect.plugin.RelationPlugin;
import org.sparkproject.connect.protobuf.Any;
import org.sparkproject.connect.protobuf.InvalidProtocolBufferException;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Plans watermarks and the removal of duplicates by named columns without a look at their input.
 *
 * <p>Spark analyses the input at once, so that the pipelines engine does not see a read of a table of the same pipeline.
 * The runner sends these operations as extensions, which come here; columns are resolved with the rest of the query.
 */
public class LateAnalysis implements RelationPlugin {
  @Override
  public Optional<LogicalPlan> transform(byte[] relation, SparkConnectPlanner planner) {
    try {
      Any extension = Any.parseFrom(relation);
      if (extension.is(Deduplicate.class)) {
        return Optional.of(planned(extension.unpack(Deduplicate.class), planner));
      }
      if (extension.is(WithWatermark.class)) {
        return Optional.of(planned(extension.unpack(WithWatermark.class), planner));
      }
      return Optional.empty();
    } catch (InvalidProtocolBufferException error) {
      throw new IllegalArgumentException(error);
    }
  }

  private static LogicalPlan planned(Deduplicate given, SparkConnectPlanner planner) {
    LogicalPlan input = planner.transformRelation(given.getInput());
    List<Attribute> names = given.getColumnNamesList().stream().map(name -> attribute(List.of(name))).toList();
    Seq<Attribute> keys = CollectionConverters.asScala(names).toSeq();
    return given.getWithinWatermark()
        ? new DeduplicateWithinWatermark(keys, input)
        : new org.apache.spark.sql.catalyst.plans.logical.Deduplicate(keys, input);
  }

  private static LogicalPlan planned(WithWatermark given, SparkConnectPlanner planner) {
    LogicalPlan input = planner.transformRelation(given.getInput());
    Attribute time = attribute(List.of(given.getEventTime().split("\\.")));
    return new UnresolvedEventTimeWatermark(time, IntervalUtils.fromIntervalString(given.getDelayThreshold()), input);
  }

  private static Attribute attribute(List<String> parts) {
    return new UnresolvedAttribute(CollectionConverters.asScala(parts).toSeq());
  }
}
