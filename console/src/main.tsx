import { createRoot } from "react-dom/client";

import { App } from "./app";
import { SessionStore } from "./session";
import { takeSignInCode } from "./sign_in_code";
import "./console.css";

const container = document.getElementById("console");
if (container === null) {
  throw new Error("index.html has no element #console");
}

// Before anything is drawn: the code must not stay in the address bar or the history.
const code = takeSignInCode(window.location, window.history);

createRoot(container).render(<App store={new SessionStore(window.sessionStorage)} initialCode={code} />);
