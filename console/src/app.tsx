import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react";

import type { Session, SessionStore } from "./session";
import { restoreSession, signInWithCode, signInWithToken } from "./sign_in";
import { takeSignInCode } from "./sign_in_code";
import { SignInPage } from "./sign_in_page";
import { TopBar } from "./top_bar";

// GraphiQL and its editor are most of the bundle; the sign-in page does not wait for them.
const Explorer = lazy(() => import("./explorer"));

type State =
  | { readonly phase: "opening" }
  | { readonly phase: "signedOut"; readonly reason: string | null }
  | { readonly phase: "signedIn"; readonly session: Session };

interface AppProps {
  readonly store: SessionStore;
  /** The code of the sign-in link that opened this page; null when it was opened without one. */
  readonly initialCode: string | null;
}

/** The whole console: the sign-in page, or the top bar with GraphiQL below it. */
export function App({ store, initialCode }: AppProps) {
  const [state, setState] = useState<State>({ phase: "opening" });

  const newestAttempt = useRef<Promise<Session | null> | null>(null);

  const open = useCallback(async (attempt: Promise<Session | null>) => {
    newestAttempt.current = attempt;
    setState({ phase: "opening" });
    let next: State;
    try {
      const session = await attempt;
      next = session === null ? { phase: "signedOut", reason: null } : { phase: "signedIn", session };
    } catch (error) {
      next = { phase: "signedOut", reason: messageOf(error) };
    }
    // An attempt that was overtaken, by a link opened meanwhile, has no say any more.
    if (newestAttempt.current === attempt) {
      setState(next);
    }
  }, []);

  useEffect(() => {
    void open(initialCode === null ? restoreSession(store) : signInWithCode(initialCode, store));
  }, [open, store, initialCode]);

  useEffect(() => {
    // A sign-in link that is opened in a tab which shows the console already changes the fragment alone.
    const onHashChange = () => {
      const code = takeSignInCode(window.location, window.history);
      if (code !== null) {
        void open(signInWithCode(code, store));
      }
    };
    window.addEventListener("hashchange", onHashChange);
    return () => window.removeEventListener("hashchange", onHashChange);
  }, [open, store]);

  const submitToken = async (token: string) => {
    const session = await signInWithToken(token, store);
    setState({ phase: "signedIn", session });
  };

  const endSession = useCallback(
    (reason: string) => {
      store.forgetToken();
      setState({ phase: "signedOut", reason });
    },
    [store],
  );

  const signOut = () => {
    store.clear();
    // A fresh page, so that nothing of the old one remains in memory or is written back by a timer.
    window.location.reload();
  };

  if (state.phase === "signedOut") {
    return <SignInPage reason={state.reason} onSubmit={submitToken} />;
  }
  const session = state.phase === "signedIn" ? state.session : null;
  return (
    <div className="console">
      <TopBar session={session} onSignOut={signOut} />
      <main className="console-main" aria-busy={session === null}>
        {session !== null && (
          <Suspense fallback={null}>
            <Explorer token={session.token} storage={store.storage} onRefused={endSession} />
          </Suspense>
        )}
      </main>
    </div>
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
