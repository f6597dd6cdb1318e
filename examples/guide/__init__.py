"""The example programs of the user guide, one a module; `docs/start/examples.md` lists them with what they print."""
