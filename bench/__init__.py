"""Repeatable benchmarks against their floor. See docs/benchmarks.md."""
