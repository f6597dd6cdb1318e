"""The documentation site: its pages are those of `docs/`, with what is read from code put where they ask for it.

`stage` writes the pages into `build/pages`, and Zensical makes `build/site` of them, as `mkdocs.yml` says. It runs in
`build/`, so that nothing is left elsewhere.
"""
