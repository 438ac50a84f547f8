package lakehouse;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.connect.service.SparkListenerConnectOperationCanceled;
import org.apache.spark.sql.connect.service.SparkListenerConnectSessionClosed;
import org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd;
import org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart;

/**
 * Cancels what a Connect session still runs when it has ended or its operation was cancelled.
 *
 * <p>The pipelines engine runs flows in threads of its own, in copies of the client's session. Interrupting the client's
 * operation, or releasing its session, stops the engine's streams, but a batch flow goes on until it is done. Copies
 * carry the settings of the session, its id among them, if the client has set it as {@code spark.lakehouse.session};
 * other sessions are left alone. The end of a session alone would not do: where the engine fails to stop, as it does
 * while it plans, Spark never tells of it.
 *
 * <p>Spark calls a listener from one thread: no state here needs a lock.
 */
public class EndedSessions extends SparkListener {
  private static final String SESSION = "spark.lakehouse.session";
  private static final Pattern OPERATION_TAG = Pattern.compile("_Session_(.+)_Operation_");

  private final Map<Long, String> executions = new HashMap<>();
  private final Map<Integer, String> jobs = new HashMap<>();
  private final Set<String> ended = new HashSet<>();

  @Override
  public void onOtherEvent(SparkListenerEvent event) {
    if (event instanceof SparkListenerSQLExecutionStart start) {
      start.modifiedConfigs().get(SESSION).foreach(session -> executions.put(start.executionId(), session));
    } else if (event instanceof SparkListenerSQLExecutionEnd end) {
      executions.remove(end.executionId());
    } else if (event instanceof SparkListenerConnectSessionClosed closed) {
      end(closed.sessionId());
    } else if (event instanceof SparkListenerConnectOperationCanceled canceled) {
      Matcher tag = OPERATION_TAG.matcher(canceled.jobTag());
      if (tag.find()) {
        end(tag.group(1));
      }
    }
  }

  @Override
  public void onJobStart(SparkListenerJobStart start) {
    String execution = start.properties().getProperty("spark.sql.execution.id");
    String session = execution == null ? null : executions.get(Long.valueOf(execution));
    if (session != null) {
      jobs.put(start.jobId(), session);
      cancelIfEnded(start.jobId(), session);
    }
  }

  @Override
  public void onJobEnd(SparkListenerJobEnd end) {
    jobs.remove(end.jobId());
  }

  private void end(String session) {
    ended.add(session);
    jobs.forEach(this::cancelIfEnded);
  }

  private void cancelIfEnded(int job, String session) {
    if (ended.contains(session)) {
      SparkContext.getOrCreate().cancelJob(job, "its session has ended");
    }
  }
}
