"""The annotations of classes and functions as they are written, where a name in them may be missing.

From Python 3.14 on, annotations are evaluated when they are read. What cannot be evaluated yet is a forward reference
then; before, only texts can stand for it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any, ForwardRef

__all__ = ["own_annotations", "signature_of", "text_of"]

if sys.version_info >= (3, 14):
    from annotationlib import Format, get_annotations

    def own_annotations(owner: type | Callable[..., object]) -> dict[str, Any]:
        """Return what a class or function itself annotates, by name, without what it inherits.

        A value is a text where the module postpones annotations. It is, or has in it, a forward reference where a name
        is missing.
        """
        return get_annotations(owner, format=Format.FORWARDREF)

    def signature_of(function: Callable[..., object]) -> inspect.Signature:
        """Return the signature of a function, with annotations as :func:`own_annotations` gives them."""
        return inspect.signature(function, annotation_format=Format.FORWARDREF)

else:

    def own_annotations(owner: type | Callable[..., object]) -> dict[str, Any]:
        """Return what a class or function itself annotates, by name, without what it inherits.

        A value is a text where the module postpones annotations.
        """
        return dict(inspect.get_annotations(owner))

    def signature_of(function: Callable[..., object]) -> inspect.Signature:
        """Return the signature of a function, with annotations as :func:`own_annotations` gives them."""
        return inspect.signature(function)


def text_of(annotation: object) -> str | None:
    """Return the text of an annotation that is not evaluated, or `None` for one that is."""
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__
    return annotation if isinstance(annotation, str) else None
