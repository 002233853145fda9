"""Speed, memory and cost; see benchmarks/README.md."""
