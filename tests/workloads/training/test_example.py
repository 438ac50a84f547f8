"""The example that is logged with a model: usual values, and no customer's row."""

from __future__ import annotations

import pandas as pd

from churn.feature_engineering.feature import Columns
from churn.training.train import typical


def test_an_example_is_a_row_of_nobody() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "plan": ["One", "Two", "One"],
            "months": [1.0, 2.0, 9.0],
            "charges": [30.0, 10.0, 50.0],
        }
    )
    columns = Columns(categorical=("plan",), numeric=("months", "charges"))
    [row] = typical(frame, columns).to_dict("records")
    assert row == {"plan": "One", "months": 2.0, "charges": 30.0}
    assert not ((frame["months"] == row["months"]) & (frame["charges"] == row["charges"])).any()
