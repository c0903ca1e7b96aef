"""Proofs that need nothing but hashes: the Merkle tree of RFC 6962 and 9162, and leaf v1 of the ledger.

Pure functions over bytes: no file, no clock, no database. Whoever verifies needs only this package.
"""
