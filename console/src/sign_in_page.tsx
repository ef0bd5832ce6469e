import { useActionState, useId } from "react";

import icon from "./icon.svg";

interface SignInPageProps {
  /** Why the person has to sign in (again); null when there is nothing to explain. */
  readonly reason: string | null;
  /** Sign in with the token; rejects with an Error whose message is shown. */
  readonly onSubmit: (token: string) => Promise<void>;
}

/** The page of a tab in which nobody is signed in. */
export function SignInPage({ reason, onSubmit }: SignInPageProps) {
  const messageId = useId();
  const [message, submit, isPending] = useActionState(async (_previous: string | null, form: FormData) => {
    const token = String(form.get("token") ?? "").trim();
    if (token === "") {
      return "Enter an access token.";
    }
    try {
      await onSubmit(token);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }, reason);

  return (
    <main className="sign-in">
      <form className="sign-in-card" action={submit} aria-busy={isPending}>
        <img src={icon} alt="" width={44} height={44} />
        <h1>Integrated Registry</h1>
        <p className="sign-in-lead">One GraphQL entrance to all your container image registries.</p>
        <label className="sign-in-label" htmlFor={`${messageId}-token`}>
          Access token
        </label>
        <input
          id={`${messageId}-token`}
          className="sign-in-input"
          name="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          autoFocus
          aria-describedby={messageId}
          aria-invalid={message !== null}
        />
        <p className="sign-in-message" id={messageId} role="alert">
          {message}
        </p>
        <button type="submit" className="sign-in-button" disabled={isPending}>
          {isPending ? "Signing in…" : "Sign in"}
        </button>
        <section className="sign-in-hint" aria-label="Where to find a token">
          <h2>Where do I find one?</h2>
          <ul>
            <li>
              In the file <code>admin-token</code> in the server’s data folder.
            </li>
            <li>Or open the link that the server printed when it started: it signs you in once, within ten minutes.</li>
          </ul>
        </section>
      </form>
    </main>
  );
}
