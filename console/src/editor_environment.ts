/**
 * What Monaco, GraphiQL's editor, needs from the page around it.
 *
 * GraphiQL's `setup-workers/vite` hands out the same workers, but writes to the browser's console each time.
 */
import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import JsonWorker from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQLWorker from "monaco-graphql/esm/graphql.worker.js?worker";

// Files of our own origin, as the page's Content-Security-Policy demands.
const WORKERS: Readonly<Record<string, new () => Worker>> = { json: JsonWorker, graphql: GraphQLWorker };

window.MonacoEnvironment = {
  getWorker(_workerId: string, label: string) {
    return new (WORKERS[label] ?? EditorWorker)();
  },
};

// When an editor closes, work that it still had under way rejects with an error of this name, which Monaco
// itself treats as no error (`isCancellationError` in vs/base/common/errors) but does not always catch.
window.addEventListener("unhandledrejection", (event) => {
  if (event.reason instanceof Error && event.reason.name === "Canceled") {
    event.preventDefault();
  }
});
