package lakehouse;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connect.service.SessionHolderInfo;
import org.apache.spark.sql.connect.service.SparkConnectService$;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Decides whether a session may use brokers of Kafka with its options.
 *
 * <p>The brokers of MSK's stand-in listen without authentication; the clusters that they stand for ask for IAM. So their
 * addresses are open to sessions alone that name a service credential, to which the session's user has ACCESS.
 */
final class KafkaAccess {
  private static final String CREDENTIAL = "databricks.servicecredential";
  private static final String SERVERS = "kafka.bootstrap.servers";
  private static final HttpClient CLIENT = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

  private KafkaAccess() {}

  /** Checks options whose names are in small letters. */
  static void check(Map<String, String> options) {
    String credential = options.get(CREDENTIAL);
    if (credential == null) {
      checkOpen(options);
      return;
    }
    List<String> security = options.keySet().stream().filter(KafkaAccess::isSecurity).sorted().toList();
    if (!security.isEmpty()) {
      throw new IllegalArgumentException(
          "kafka: databricks.serviceCredential sets security and authentication itself; leave out "
              + String.join(", ", security));
    }
    checkAccess(credential, user());
  }

  private static boolean isSecurity(String option) {
    return option.equals("kafka.security.protocol") || option.startsWith("kafka.sasl.");
  }

  private static void checkOpen(Map<String, String> options) {
    SparkConf conf = SparkEnv.get().conf();
    int first = conf.getInt("spark.lakehouse.kafka.firstPort", 0);
    int ports = conf.getInt("spark.lakehouse.kafka.ports", 0);
    for (String address : options.getOrDefault(SERVERS, "").split(",")) {
      String port = address.substring(address.lastIndexOf(':') + 1).trim();
      if (port.matches("\\d{1,5}") && Integer.parseInt(port) >= first && Integer.parseInt(port) < first + ports) {
        throw new SecurityException(
            "kafka: " + address + " belongs to a cluster of MSK, which lets in by IAM alone and would close this "
                + "connection: name a service credential with the option databricks.serviceCredential (an IAM role of "
                + "the cluster's machines, by kafka.sasl.*, has no equivalent here)");
      }
    }
  }

  private static void checkAccess(String credential, String user) {
    SparkConf conf = SparkEnv.get().conf();
    String path = "/local/service-credentials/" + encoded(credential) + "/access?principal=" + encoded(user);
    try {
      String token = Files.readString(Path.of(conf.get("spark.lakehouse.workspace.token"))).strip();
      HttpRequest request = HttpRequest.newBuilder(URI.create(conf.get("spark.lakehouse.workspace.url") + path))
          .timeout(Duration.ofSeconds(20))
          .header("Authorization", "Bearer " + token)
          .build();
      HttpResponse<String> answer = CLIENT.send(request, BodyHandlers.ofString());
      if (answer.statusCode() != 200) {
        throw new SecurityException("kafka: " + new ObjectMapper().readTree(answer.body()).path("message").asText());
      }
    } catch (IOException error) {
      throw new IllegalStateException("kafka: the workspace does not say who may use " + credential + ": " + error, error);
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("kafka: interrupted while the workspace was asked about " + credential, error);
    }
  }

  /** The user of the session that asks; the pipelines engine asks in copies of it, which carry its id. */
  private static String user() {
    SparkSession session = SparkSession.active();
    String name = session.conf().get("spark.lakehouse.session", "");
    for (SessionHolderInfo info : CollectionConverters.asJava(sessions().listActiveSessions())) {
      boolean same = info.sessionId().equals(name)
          || sessions().getIsolatedSessionIfPresent(info.key()).exists(holder -> holder.session() == session);
      if (same) {
        return info.userId();
      }
    }
    return "";
  }

  private static org.apache.spark.sql.connect.service.SparkConnectSessionManager sessions() {
    return SparkConnectService$.MODULE$.sessionManager();
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
