"""Spans in tests: kept in memory, and looked up by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler

__all__ = ["Spans", "attributes", "context_of", "error_of", "parent_of"]


@dataclass
class Spans:
    """A tracer provider, and what has ended of its spans."""

    sampler: Sampler = field(default_factory=lambda: ParentBased(ALWAYS_ON))
    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    provider: TracerProvider = field(init=False)

    def __post_init__(self) -> None:
        self.provider = TracerProvider(sampler=self.sampler)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def ended(self) -> list[ReadableSpan]:
        """All that have ended, in this order."""
        return list(self.exporter.get_finished_spans())

    @property
    def names(self) -> list[str]:
        """The names of those that have ended, without handshakes and what is done in them."""
        return [span.name for span in self.ended if not span.name.startswith(("handshake", "set up"))]

    def all_of(self, name: str, role: str | None = None) -> list[ReadableSpan]:
        """Return those with a name, and of orbiters of one role."""
        return [
            span for span in self.ended if span.name == name and role in (None, attributes(span).get("orbitalis.role"))
        ]

    def one(self, name: str, role: str | None = None) -> ReadableSpan:
        """Return the only one with a name, of orbiters of one role."""
        (span,) = self.all_of(name, role)
        return span


def attributes(span: ReadableSpan) -> Mapping[str, object]:
    """Return what is said of a span."""
    return dict(span.attributes or {})


def context_of(span: ReadableSpan) -> tuple[int, int]:
    """Return the identifiers of the trace and of the span."""
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def parent_of(span: ReadableSpan) -> tuple[int, int] | None:
    """Return the identifiers of the trace and of the span's parent."""
    return None if span.parent is None else (span.parent.trace_id, span.parent.span_id)


def error_of(span: ReadableSpan) -> tuple[str, object, list[object]]:
    """Return what a span says of its end: status, type of the error, and the types of the exceptions in its events."""
    exceptions = [(event.attributes or {}).get("exception.type") for event in span.events if event.name == "exception"]
    return span.status.status_code.name, attributes(span).get("error.type"), list(exceptions)
