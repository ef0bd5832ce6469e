import icon from "./icon.svg";
import type { Session } from "./session";

interface TopBarProps {
  /** Null while the session is being verified: the bar keeps its place meanwhile. */
  readonly session: Session | null;
  readonly onSignOut: () => void;
}

/** The bar above GraphiQL: the product, who is signed in, and the way out. */
export function TopBar({ session, onSignOut }: TopBarProps) {
  return (
    <header className="top-bar">
      <img className="top-bar-icon" src={icon} alt="" width={22} height={22} />
      <h1 className="top-bar-product">Integrated Registry</h1>
      {session !== null && (
        <>
          <span className="top-bar-viewer" data-testid="viewer">
            <span className="top-bar-name">{session.viewer.name}</span>
            <span className="top-bar-role">{readable(session.viewer.role)}</span>
          </span>
          {session.token !== null && (
            <button type="button" className="link-button" onClick={onSignOut}>
              Sign out
            </button>
          )}
        </>
      )}
    </header>
  );
}

/** `PLATFORM_ADMIN` becomes `platform admin`. */
function readable(role: string): string {
  return role.toLowerCase().replaceAll("_", " ");
}
