"""Hand-written files: settings and requests, read and checked without a provider SDK.

`tests/infra/test_order.py` lists the modules from the bottom to the top; imports go downwards only. Contracts are read
by `churn.core.contract`, which the workloads use too; `infra.check` reads everything together.
"""
