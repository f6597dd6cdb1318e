"""The command `orbitalis`: who is on the bus, what they offer and do, and why something is not connected.

`program.py` is what runs first, and knows no more than the command line. Each command is a module of its own in
`commands/`, which is imported when it is run.
"""
