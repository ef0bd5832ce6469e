// Runs the public audits of GraphQL over HTTP against ENDPOINT; prints what came of each as JSON.
import { auditServer } from "graphql-http";

const { ENDPOINT, TOKEN } = process.env;
const results = await auditServer({
  url: ENDPOINT,
  fetchFn: (url, init = {}) =>
    fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${TOKEN}` } }),
});
console.log(
  JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason: reason ?? null }))),
);
