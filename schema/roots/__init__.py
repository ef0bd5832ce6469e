"""Where queries, mutations and subscriptions begin."""
