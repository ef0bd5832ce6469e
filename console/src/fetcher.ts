import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import { getOperationAST, type ExecutionResult } from "graphql";
import type { Client } from "graphql-ws";

import { closeMessage } from "./graphql_socket";
import { ServerError, SignInRefused } from "./server_errors";
import { postJson } from "./server_requests";
import { authorization } from "./viewer";

// Longer than the server's own limit for one operation: its answer says more than ours could.
const TIMEOUT_SECONDS = 120;

/**
 * Return how GraphiQL reaches the server: queries and mutations by HTTP, subscriptions through `socket`.
 *
 * `onRefused` is told the reason when the server does not accept the token any more. A token that the
 * person wrote into GraphiQL's headers editor goes before ours, and ends no session.
 */
export function createFetcher(
  token: string | null,
  socket: Client,
  onRefused: (reason: string) => void,
): Fetcher {
  async function post(params: FetcherParams, ownHeaders: Record<string, string>): Promise<ExecutionResult> {
    const headers = new Headers(authorization(token));
    const ours = headers.get("Authorization");
    for (const [name, value] of Object.entries(ownHeaders)) {
      headers.set(name, value);
    }
    try {
      const { body } = await postJson("graphql", params, { headers, timeoutSeconds: TIMEOUT_SECONDS });
      return body as ExecutionResult;
    } catch (error) {
      if (error instanceof SignInRefused && headers.get("Authorization") === ours) {
        onRefused(error.message);
      }
      throw error;
    }
  }

  return (params, options) => {
    const operation = options?.documentAST && getOperationAST(options.documentAST, params.operationName);
    if (operation?.operation === "subscription") {
      return subscribe(socket, params);
    }
    return post(params, (options?.headers ?? {}) as Record<string, string>);
  };
}

/**
 * Yield the events of a subscription until the server completes it or the person stops it.
 *
 * Returned as the socket's own iterator: stopping must reach it at once, also while no event comes.
 */
function subscribe(socket: Client, params: FetcherParams): AsyncIterableIterator<ExecutionResult> {
  const events = socket.iterate({
    query: params.query,
    variables: params.variables as Record<string, unknown> | null,
    operationName: params.operationName ?? null,
  });
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        return (await events.next()) as IteratorResult<ExecutionResult>;
      } catch (error) {
        throw error instanceof CloseEvent ? new ServerError(closeMessage(error), { cause: error }) : error;
      }
    },
    async return() {
      await events.return?.();
      return { done: true, value: undefined };
    },
  };
}
