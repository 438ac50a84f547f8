"""Profile: what a customer's last report says of the person and the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.feature_engineering.feature import CATEGORY, Feature, FeatureGroup

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from churn.feature_engineering.feature import Known

YES_NO = "Yes, No"
WITH_INTERNET = "Yes, No, No internet service"


def build(customers: DataFrame, _known: Known) -> DataFrame:
    """Leaves the frame as it is: the features are columns of silver.customer under their own names."""
    return customers


GROUP = FeatureGroup(
    name="profile",
    meaning="What the customer's last report says of the person and the contract.",
    sources=("customer",),
    features=(
        Feature("gender", CATEGORY, "Female, Male", "gender"),
        Feature("partner", CATEGORY, YES_NO, "whether the customer has a partner"),
        Feature("dependents", CATEGORY, YES_NO, "whether the customer has dependents"),
        Feature("phone_service", CATEGORY, YES_NO, "whether the contract has a telephone line"),
        Feature("multiple_lines", CATEGORY, "Yes, No, No phone service", "whether it has more than one line"),
        Feature("internet_service", CATEGORY, "DSL, Fiber optic, No", "kind of internet access"),
        Feature("online_security", CATEGORY, WITH_INTERNET, "whether online security is booked"),
        Feature("online_backup", CATEGORY, WITH_INTERNET, "whether online backup is booked"),
        Feature("device_protection", CATEGORY, WITH_INTERNET, "whether device protection is booked"),
        Feature("tech_support", CATEGORY, WITH_INTERNET, "whether technical support is booked"),
        Feature("streaming_tv", CATEGORY, WITH_INTERNET, "whether television is booked"),
        Feature("streaming_movies", CATEGORY, WITH_INTERNET, "whether films are booked"),
        Feature("contract", CATEGORY, "Month-to-month, One year, Two year", "term of the contract"),
        Feature("paperless_billing", CATEGORY, YES_NO, "whether bills come without paper"),
        Feature("payment_method", CATEGORY, "name of the method", "how bills are paid"),
        Feature("senior_citizen", "INT", "1 or 0", "1 if the customer is a senior citizen"),
    ),
    build=build,
)
