"""Entry point of the plugin: serves the engine on a port of its own, which it prints."""

from __future__ import annotations

import signal
import sys
from concurrent import futures

import grpc  # type: ignore[import-untyped]  # has no types
from pulumi.runtime.proto import provider_pb2_grpc

from local.aws.provider.plugin import AwsProvider

MAX_MESSAGE_BYTES = 400 << 20  # as the engine's own limit


def main() -> None:
    """Serves until the engine, which started this process, ends it by SIGINT."""
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = grpc.server(
        futures.ThreadPoolExecutor(16),
        options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(AwsProvider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
