"""The dashboard: serves one page on this machine, and relays its WebSockets to the broker."""
