"""Subcommands: each calls the library and prints; no logic of its own."""
