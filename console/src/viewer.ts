import { messageIn, ServerError } from "./server_errors";
import { postJson } from "./server_requests";

/** The person or program that a token stands for. */
export interface Viewer {
  readonly name: string;
  /** As in the schema: `PLATFORM_ADMIN`, `WORKSPACE_ADMIN`, `WORKSPACE_MEMBER`. */
  readonly role: string;
}

const VIEWER_QUERY = "query ConsoleViewer { viewer { name role } }";
const TIMEOUT_SECONDS = 15;

/**
 * Ask the server whom `token` stands for; null asks without a token.
 *
 * Throws SignInRefused when the server does not accept the token, and ServerError when it gave no
 * useful answer.
 */
export async function fetchViewer(token: string | null): Promise<Viewer> {
  const { status, body } = await postJson(
    "graphql",
    { query: VIEWER_QUERY, operationName: "ConsoleViewer" },
    { headers: authorization(token), timeoutSeconds: TIMEOUT_SECONDS },
  );
  const viewer = (body as { data?: { viewer?: Partial<Viewer> | null } | null } | null)?.data?.viewer;
  if (typeof viewer?.name !== "string" || typeof viewer.role !== "string") {
    throw new ServerError(messageIn(body) ?? `The server answered ${status} and did not say who you are.`);
  }
  return { name: viewer.name, role: viewer.role };
}

/** Return the header that carries `token`; none without a token. */
export function authorization(token: string | null): Record<string, string> {
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}
