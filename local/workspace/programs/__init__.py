"""Programs that the workspace runs: their processes, their libraries, and the scripts that launch them."""
