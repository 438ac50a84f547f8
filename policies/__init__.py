"""Policy as code: what the infrastructure program may ask for. `__main__.py` builds the pack, one module a concern.

What is asked of production is asked of the stack `prod` and of every stack whose name begins with `prod_` or `prod-`.
"""
