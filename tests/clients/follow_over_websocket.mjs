// graphql-ws against the server at ENDPOINT, see follow.mjs.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { follow } from "./follow.mjs";

const { ENDPOINT, TOKEN } = process.env;
await follow(
  createClient({
    url: ENDPOINT.replace(/^http/, "ws"),
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${TOKEN}` },
    retryAttempts: 100,
    // By default it only comes back after a close: also while nothing listens, as when a server restarts.
    shouldRetry: () => true,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 100)),
  }),
);
