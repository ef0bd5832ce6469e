"""Talking to registries: one folder per kind behind one small protocol, plus transport and errors.

Nothing in here knows of the database, of GraphQL or of services: the package has records, settings and
errors of its own, and those who use it translate.
"""
