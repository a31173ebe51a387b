"""The program of connections.py with pooling off."""

import pyodbc

pyodbc.pooling = False

import connections  # noqa: E402,F401
