/**
 * What GraphiQL opens with: five tabs that show how the API is used.
 *
 * The operations are files, so that the server's tests can hold them against the schema.
 */
import glance from "./default_tabs/glance.graphql?raw";
import integrateRegistry from "./default_tabs/integrate_registry.graphql?raw";
import integrateRegistryVariables from "./default_tabs/integrate_registry.variables.json?raw";
import liveEvents from "./default_tabs/live_events.graphql?raw";
import liveHealth from "./default_tabs/live_health.graphql?raw";
import whoMayPull from "./default_tabs/who_may_pull.graphql?raw";

export const DEFAULT_TABS = [
  { query: glance },
  { query: integrateRegistry, variables: integrateRegistryVariables },
  { query: whoMayPull },
  { query: liveHealth },
  { query: liveEvents },
];
