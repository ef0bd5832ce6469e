/**
 * The one-time code of the link that the server prints when it starts: `…/#code=…`.
 *
 * It travels in the fragment, which browsers never send to a server, and is removed from the address bar
 * and the history at once.
 */

/** Return the code in the address and remove it from there; null when the address carries none. */
export function takeSignInCode(location: Location, history: History): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code === null) {
    return null;
  }
  history.replaceState(history.state, "", location.pathname + location.search);
  return code === "" ? null : code;
}
