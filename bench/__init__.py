"""Side-by-side measurements; docs/benchmarks.md has the figures and the command that gives each."""
