"""Policy as code: what the infrastructure program may ask for. `__main__.py` builds the pack, one module a concern."""
