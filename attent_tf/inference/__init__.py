"""The deployed chain and what it makes of scans and test cases."""
