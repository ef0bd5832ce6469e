"""The ASGI application, its settings and its command line: the only place that puts the parts together."""
