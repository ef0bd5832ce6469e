import { messageIn, ServerError, SignInRefused } from "./server_errors";

/** An answer of the server that was JSON. */
export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Return the absolute address of `path` at the server that served this page. */
export function serverUrl(path: "graphql" | "sign-in"): URL {
  return new URL(path, document.baseURI);
}

/**
 * POST `body` as JSON to the server and return its JSON answer, whatever the status, except 401.
 *
 * Throws SignInRefused on 401, and ServerError when no answer came within `timeoutSeconds` or when it
 * was not JSON.
 */
export async function postJson(
  path: "graphql" | "sign-in",
  body: unknown,
  { headers, timeoutSeconds }: { headers?: HeadersInit; timeoutSeconds: number },
): Promise<JsonAnswer> {
  let response: Response;
  try {
    response = await fetch(serverUrl(path), {
      method: "POST",
      headers: withDefaults(headers),
      body: JSON.stringify(body),
      credentials: "omit",
      signal: AbortSignal.timeout(timeoutSeconds * 1_000),
    });
  } catch (error) {
    throw new ServerError(
      error instanceof DOMException && error.name === "TimeoutError"
        ? `The server did not answer within ${timeoutSeconds} seconds.`
        : "The server cannot be reached. Is it running?",
      { cause: error },
    );
  }
  const answer = await json(response);
  if (response.status === 401) {
    throw new SignInRefused(
      messageIn(answer) ?? "The server does not accept this token: it is wrong, expired or revoked.",
    );
  }
  if (answer === undefined) {
    throw new ServerError(`The server answered ${response.status} without a JSON body.`);
  }
  return { status: response.status, body: answer };
}

function withDefaults(headers: HeadersInit | undefined): Headers {
  const result = new Headers(headers);
  result.set("Content-Type", "application/json");
  result.set("Accept", "application/graphql-response+json, application/json");
  return result;
}

/** Return the parsed body; undefined when it is no JSON, such as a proxy's error page. */
async function json(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
