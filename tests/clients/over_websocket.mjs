// Drives the endpoint with graphql-ws; prints what it got as JSON.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const { ENDPOINT, TOKEN } = process.env;
const url = ENDPOINT.replace(/^http/, "ws");
const closes = [];
let latest;
let connections = 0;

function client(token, options = {}) {
  return createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
    on: {
      connected: (socket) => {
        latest = socket;
        connections += 1;
      },
      closed: (event) => closes.push(event.code),
    },
    ...options,
  });
}

async function collect(iterable, limit = Infinity) {
  const results = [];
  for await (const result of iterable) {
    results.push(result);
    if (results.length === limit) break;
  }
  return results;
}

const attempt = async (work) => {
  try {
    return await work();
  } catch (error) {
    return { failed: Array.isArray(error) ? error : { code: error.code, reason: error.reason } };
  }
};

const main = client(TOKEN, { lazy: false, retryAttempts: 3, retryWait: async () => {} });
const output = {
  query: await collect(main.iterate({ query: "{ hello }" })),
  mutation: await collect(main.iterate({ query: "mutation ($n: Int!) { add(n: $n) }", variables: { n: 2 } })),
  subscription: await collect(main.iterate({ query: "subscription { count(to: 3) }" })),
  completed: await collect(main.iterate({ query: "subscription { endless }" }), 2),
  invalid: await attempt(() => collect(main.iterate({ query: "{ nothing }" }))),
};

// The connection is lost in the middle of a subscription: the client comes back and begins anew.
const again = main.iterate({ query: "subscription { endless }" });
const before = (await again.next()).value;
const connectionsBefore = connections;
latest.terminate();
let after = (await again.next()).value;
while (connections === connectionsBefore) after = (await again.next()).value;
await again.return();
output.reconnected = { before, after, connections: connections - connectionsBefore };
await main.dispose();

output.wrongToken = await attempt(() => collect(client("wrong", { retryAttempts: 0 }).iterate({ query: "{ hello }" })));
console.log(JSON.stringify(output));
