"""What an orbiter does, told to tools that watch programs: spans, metrics. Each module takes an extra of its own."""
