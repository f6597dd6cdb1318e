"""Specifications that are broken in one place each, as changes to the one in `tests/codegen/lamps`.

The text files hold them, each as

    === CODE name
    @@ file
     a line before, which stays
    -a line that goes
    +a »line that comes
    says: part of the message
    hint: part of the hint
    also: CODE of another problem that follows from the first

where `»` stands at the position at which the problem is to be reported. A change without lines that go or stay is the
whole file. `computed.py` adds what a text file cannot hold.
"""
