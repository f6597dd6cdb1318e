"""A demonstration: a core, lamps and a broker as processes of their own, watched from outside.

`python -m examples.demo` shows it, and has exit status 0 only if all that it shows has really happened.
"""
