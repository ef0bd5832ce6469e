"""GraphQL over HTTP, Server-Sent Events and WebSocket, over any graphql-core schema.

Knows nothing of registries: schema, sessions, limits and logger are handed in. Begin at `routes.py`.
"""
