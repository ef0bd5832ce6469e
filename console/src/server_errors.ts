/**
 * What can go wrong between the console and its server:
 *
 *   ServerError         the server answered, but not with what was asked for, or did not answer
 *     └ SignInRefused   the server knows no such token or code (any more)
 *
 * Messages are whole sentences for the person at the screen; they never contain a token or a code.
 */

/** The server did not answer, or not with what was asked for. */
export class ServerError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    // GraphiQL shows every property of an error as the response; a stack tells its reader nothing.
    delete this.stack;
  }
}

/** The server refused the token or the sign-in code. */
export class SignInRefused extends ServerError {}

/** What the server's answers look like when they tell of an error: ours at /sign-in, GraphQL's at /graphql. */
interface ErrorBody {
  readonly error?: { readonly message?: unknown };
  readonly errors?: ReadonlyArray<{ readonly message?: unknown }>;
}

/** Return the first error message in a JSON answer of the server; null when it has none. */
export function messageIn(body: unknown): string | null {
  if (typeof body !== "object" || body === null) {
    return null;
  }
  const { error, errors } = body as ErrorBody;
  const message = error?.message ?? (Array.isArray(errors) ? errors[0]?.message : undefined);
  return typeof message === "string" && message !== "" ? message : null;
}
