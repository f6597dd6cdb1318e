"""Names that emitted classes cannot give away: what the runtime's classes have, and what emitted code refers to."""

from __future__ import annotations

from typing import Final

__all__ = ["CLASSES", "CLIENT_ATTRIBUTES", "ERROR_ATTRIBUTES", "IN_BODIES", "MESSAGE_ATTRIBUTES", "PLUGIN_ATTRIBUTES"]

_OF_PLUGINS: Final = """
announce_topic close_connection_if_unused_after close_unused_connections consider_others_dead_after
dead_remote_identifiers discard_expired_pending_requests discover_topic eventbus_client explain
force_close_connection_for_out_to_timeout_pending_graceful_close_connection graceful_close_timeout have_seen identifier
introspection introspection_topic is_running keepalive_request_topic keepalive_topic leave limits loop_interval
lose_dead_remotes new_connection_added_event operation_statistics operations pause_loop pending_requests_expire_after
process_pool process_pool_size raise_exceptions remote_identifiers reply_topic resume_loop
retrieve_and_touch_connections retrieve_connections send send_all_keepalive_based_on_connections send_answer
send_graceful_close_connection send_graceless_close_connection send_keepalive
send_keepalive_based_on_connections_and_threshold send_keepalive_before_timelimit send_keepalive_request send_offer
send_result_to_all start start_loop state statistics stop stop_loop suspected_remote_identifiers suspicion_grace
trace_with update_acquaintances update_operations wait_stopped with_custom_policy with_loop with_operation
"""
_IMPORTED: Final = """
CLASSES Call Canned ContractClient DeclaredError DeclaredOutput Execution Fault Final GeneratedMessage Noted Outputs
Plugin RecordCodec TypeAlias
"""
_IN_BODIES: Final = """
abstractmethod bytes contract_operation dataclass dict field float int list one_of output str tuple type
"""

PLUGIN_ATTRIBUTES: Final = frozenset(_OF_PLUGINS.split())
"""What a plugin has by itself."""

CLIENT_ATTRIBUTES: Final = frozenset({"core", "operations"})
"""What a client has by itself."""

MESSAGE_ATTRIBUTES: Final = frozenset(
    {"as_received", "avro_schema", "decode", "encode", "message_type", "resolving_reader", "schema_fingerprint"}
)
"""What a message has by itself."""

ERROR_ATTRIBUTES: Final = frozenset({"add_note", "args", "with_traceback"})
"""What an exception has beside that."""

CLASSES: Final = frozenset(_IMPORTED.split())
"""What emitted modules import or define under a name that a message could have."""

IN_BODIES: Final = frozenset(_IN_BODIES.split())
"""What bodies of emitted classes refer to."""
