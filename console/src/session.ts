import type { Viewer } from "./viewer";

/** Who is signed in, and with what. */
export interface Session {
  /** The access token; null on a server that runs without authentication. */
  readonly token: string | null;
  readonly viewer: Viewer;
}

const TOKEN_KEY = "integrated-registry:token";

/**
 * What this tab keeps: the access token, and GraphiQL's own state beside it.
 *
 * Both live in sessionStorage, never in localStorage: variables may hold a registry's password, and
 * nothing of it should outlive the tab.
 */
export class SessionStore {
  constructor(readonly storage: Storage) {}

  /** Return the token kept in this tab; null when there is none. */
  token(): string | null {
    return this.storage.getItem(TOKEN_KEY);
  }

  /** Keep `token` for as long as this tab lives. */
  keepToken(token: string): void {
    this.storage.setItem(TOKEN_KEY, token);
  }

  /** Forget the token; queries that were written stay. For a token that the server refused. */
  forgetToken(): void {
    this.storage.removeItem(TOKEN_KEY);
  }

  /** Forget the token and everything written in this tab. */
  clear(): void {
    this.storage.clear();
  }
}
