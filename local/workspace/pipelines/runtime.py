"""The updates of all pipelines: they start, are stopped, and those of continuous pipelines start again."""

from __future__ import annotations

import threading
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from local.workspace.core.clock import now_ms
from local.workspace.core.errors import ApiError
from local.workspace.pipelines.documents import CONTINUOUS, PIPELINES, UPDATES
from local.workspace.pipelines.settings import checked_update, update_retries
from local.workspace.pipelines.states import ACTIVE
from local.workspace.pipelines.update import Update, report_failure

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document
    from local.workspace.pipelines.documents import UpdateDocument


class PipelineUpdates:
    """The updates of one workspace's pipelines."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._latest: dict[str, Update] = {}
        self._changing = threading.Lock()

    def open(self) -> None:
        """Ends the updates that an earlier process of the workspace left, and starts continuous pipelines again."""
        for key, update in self._workspace.store.items(UPDATES):
            if update["state"] in ACTIVE:
                update["state"] = "FAILED"
                self._workspace.store.put(UPDATES, key, update)
                pipeline = self._workspace.store.get(PIPELINES, update["pipeline_id"])
                if pipeline is not None:
                    message = f"The workspace was stopped while update {update['update_id']} ran."
                    report_failure(self._workspace, pipeline, update["update_id"], "Lost", message)

        for pipeline_id, _ in self._workspace.store.items(CONTINUOUS):
            self.start(pipeline_id, {}, "INFRASTRUCTURE_MAINTENANCE")

    def close(self) -> None:
        """Stops all updates, and waits until their programs have ended; continuous pipelines will start again."""
        for update in list(self._latest.values()):
            update.stop()

    def start(self, pipeline_id: str, options: Document, cause: str) -> Update:
        """Starts an update.

        Args:
            pipeline_id: Id of the pipeline.
            options: `full_refresh`, `full_refresh_selection`, `refresh_selection`, `validate_only`.
            cause: `API_CALL`, `JOB_TASK` or another cause of the API.

        Returns:
            The update, which runs.

        Raises:
            ApiError: There is no such pipeline, it has an active update, or an option is wrong.
        """
        with self._lock:
            missing = f"The specified pipeline {pipeline_id} was not found."
            pipeline = self._workspace.find(PIPELINES, pipeline_id, missing)
            earlier = self._latest.get(pipeline_id)
            if earlier is not None and earlier.active:
                raise ApiError(409, "RESOURCE_CONFLICT", f"An active update {earlier.id} already exists.")
            document: UpdateDocument = {
                "pipeline_id": pipeline_id,
                "update_id": str(uuid.uuid4()),
                "state": "CREATED",
                "cause": cause,
                "config": pipeline["spec"],
                "creation_time": now_ms(),
                **UPDATES.document(checked_update(options)),
            }
            if pipeline["spec"].get("continuous") and not options.get("validate_only"):
                self._workspace.store.put(CONTINUOUS, pipeline_id, {})

            def replaced(retry: Update) -> None:
                self._latest[pipeline_id] = retry

            update = Update(self._workspace, pipeline, document, update_retries(pipeline["spec"]), replaced)
            self._latest[pipeline_id] = update
            return update

    def stop(self, pipeline_id: str) -> None:
        """Cancels the active update of a pipeline, if it has one, and returns when it has ended."""
        self._workspace.store.delete(CONTINUOUS, pipeline_id)
        update = self._latest.get(pipeline_id)
        if update is not None:
            update.stop()

    def changed(self, pipeline_id: str) -> None:
        """Runs a continuous pipeline with its new settings, and stops one that is continuous no more.

        Returns at once, since the end of what runs takes a while.
        """
        threading.Thread(target=self._restart, args=[pipeline_id], name=f"change of {pipeline_id}", daemon=True).start()

    def _restart(self, pipeline_id: str) -> None:
        with self._changing:
            ran = self._workspace.store.get(CONTINUOUS, pipeline_id) is not None
            pipeline = self._workspace.store.get(PIPELINES, pipeline_id)
            continuous = pipeline is not None and pipeline["spec"].get("continuous")
            if ran or continuous:
                self.stop(pipeline_id)
            if continuous:
                with suppress(ApiError):  # deleted, or started by somebody else, meanwhile
                    self.start(pipeline_id, {}, "USER_ACTION")
