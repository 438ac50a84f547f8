"""Rules for what may be deployed: one module a concern; `__main__.py` builds the policy pack.

Rules for production apply to the stack `prod` and to every stack whose name begins with `prod_` or `prod-`.
"""
