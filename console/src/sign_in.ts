import { messageIn, ServerError, SignInRefused } from "./server_errors";
import { postJson } from "./server_requests";
import type { Session, SessionStore } from "./session";
import { fetchViewer } from "./viewer";

const TIMEOUT_SECONDS = 15;

/**
 * Exchange the one-time `code` of a sign-in link for a token, keep it, and return the session.
 *
 * Throws SignInRefused when the code is unknown, used or expired, and ServerError when the server gave
 * no useful answer.
 */
export async function signInWithCode(code: string, store: SessionStore): Promise<Session> {
  const { status, body } = await postJson("sign-in", { code }, { timeoutSeconds: TIMEOUT_SECONDS });
  if (status >= 400 && status < 500) {
    throw new SignInRefused(messageIn(body) ?? "This sign-in link is not valid any more.");
  }
  const token = (body as { token?: unknown } | null)?.token;
  if (status !== 200 || typeof token !== "string") {
    throw new ServerError(messageIn(body) ?? `The server answered ${status} to the sign-in link.`);
  }
  return await signInWithToken(token, store);
}

/**
 * Verify `token` with the server, keep it, and return the session.
 *
 * Throws SignInRefused when the server does not accept it, and ServerError when the server gave no
 * useful answer; nothing is kept then.
 */
export async function signInWithToken(token: string, store: SessionStore): Promise<Session> {
  const viewer = await fetchViewer(token);
  store.keepToken(token);
  return { token, viewer };
}

/**
 * Return the session of this tab, verified with the server.
 *
 * Null when nobody is signed in here and the server asks for a token; a session without a token when it
 * asks for none. Throws SignInRefused when the kept token is not accepted any more (it is forgotten then),
 * and ServerError when the server gave no useful answer (the token stays for another try).
 */
export async function restoreSession(store: SessionStore): Promise<Session | null> {
  const token = store.token();
  try {
    return { token, viewer: await fetchViewer(token) };
  } catch (error) {
    if (!(error instanceof SignInRefused)) {
      throw error;
    }
    if (token === null) {
      return null;
    }
    store.forgetToken();
    throw error;
  }
}
