"""Pages that people read: a package in words, tables and pictures; no figure is made here."""
