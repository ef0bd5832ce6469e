import { createClient, type Client } from "graphql-ws";

import { serverUrl } from "./server_requests";
import { authorization } from "./viewer";

/** The close code by which the server refuses a token, at the start or when it expires: "Forbidden". */
export const REFUSED_CLOSE_CODE = 4403;

const RETRY_ATTEMPTS = 20;
const LONGEST_RETRY_WAIT_SECONDS = 10;

/**
 * Return a client for subscriptions over one WebSocket (protocol graphql-transport-ws).
 *
 * The socket opens with the first subscription and closes after the last. When it drops, it is opened
 * again and its subscriptions begin anew, for about three minutes of trying; a server that refuses the
 * token is not asked twice, and `onRefused` is told the reason.
 */
export function createGraphQLSocket(token: string | null, onRefused: (reason: string) => void): Client {
  const url = serverUrl("graphql");
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return createClient({
    url: url.href,
    connectionParams: authorization(token),
    connectionAckWaitTimeout: 10_000,
    keepAlive: 15_000,
    retryAttempts: RETRY_ATTEMPTS,
    retryWait: waitBeforeRetry,
    shouldRetry: (event) => closeCodeOf(event) !== REFUSED_CLOSE_CODE,
    on: {
      closed: (event) => {
        if (closeCodeOf(event) === REFUSED_CLOSE_CODE) {
          onRefused("The server ended the connection: your token is wrong, expired or revoked.");
        }
      },
    },
  });
}

/** Return what closed the socket as a sentence for the person at the screen. */
export function closeMessage(event: CloseEvent): string {
  const reason = event.reason === "" ? "no reason given" : event.reason;
  return `The connection to the server closed (${event.code}: ${reason}).`;
}

function closeCodeOf(event: unknown): number | null {
  return event instanceof CloseEvent ? event.code : null;
}

/** Wait longer each time, with a share of chance so that many consoles do not come back at one moment. */
async function waitBeforeRetry(retries: number): Promise<void> {
  const seconds = Math.min(2 ** retries / 2, LONGEST_RETRY_WAIT_SECONDS) * (0.75 + Math.random() / 2);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
}
