"""A smart home: a core that needs lamps, and plugins of two kinds that are lamps.

`python -m examples.lamps.plugin` runs a lamp and `python -m examples.lamps.home` the core, each as a process of its
own; with `--help` they say how.
"""
