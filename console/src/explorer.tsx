import { GraphiQL } from "graphiql";
import { useEffect, useMemo } from "react";

import { DEFAULT_TABS } from "./default_tabs";
import { createFetcher } from "./fetcher";
import { createGraphQLSocket } from "./graphql_socket";
import "./editor_environment";
import "graphiql/style.css";

interface ExplorerProps {
  readonly token: string | null;
  /** Where GraphiQL keeps tabs and history. */
  readonly storage: Storage;
  /** Called with the reason when the server does not accept the token any more. */
  readonly onRefused: (reason: string) => void;
}

/** GraphiQL, connected to the server that served this page. Also works where introspection is off. */
export default function Explorer({ token, storage, onRefused }: ExplorerProps) {
  const socket = useMemo(() => createGraphQLSocket(token, onRefused), [token, onRefused]);
  const fetcher = useMemo(() => createFetcher(token, socket, onRefused), [token, socket, onRefused]);
  useEffect(() => () => void socket.dispose(), [socket]);

  return (
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      defaultTabs={DEFAULT_TABS}
      defaultEditorToolsVisibility="variables"
      shouldPersistHeaders={false}
      inputValueDeprecation
      schemaDescription
    >
      {/* The bar above says what this is. */}
      <GraphiQL.Logo>{" "}</GraphiQL.Logo>
    </GraphiQL>
  );
}
