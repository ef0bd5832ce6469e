// graphql-sse, in its mode of distinct connections, against the server at ENDPOINT, see follow.mjs.
import { createClient } from "graphql-sse";

import { follow } from "./follow.mjs";

const { ENDPOINT, TOKEN } = process.env;
await follow(
  createClient({
    url: ENDPOINT,
    headers: { authorization: `Bearer ${TOKEN}` },
    retryAttempts: 100,
    retry: () => new Promise((resolve) => setTimeout(resolve, 100)),
  }),
);
