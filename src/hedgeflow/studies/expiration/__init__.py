"""Expiration pressure studied: its market, scan, ladder, and what evidence reads of expiries."""
