// Drives the endpoint with graphql-sse, in its mode of distinct connections; prints what it got as JSON.
import { createClient } from "graphql-sse";

const { ENDPOINT, TOKEN } = process.env;

function client(token, options = {}) {
  return createClient({
    url: ENDPOINT,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
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
    return { failed: error.response?.status ?? String(error) };
  }
};

const main = client(TOKEN);
const output = {
  query: await collect(main.iterate({ query: "{ hello }" })),
  mutation: await collect(main.iterate({ query: "mutation ($n: Int!) { add(n: $n) }", variables: { n: 2 } })),
  subscription: await collect(main.iterate({ query: "subscription { count(to: 3) }" })),
  completed: await collect(main.iterate({ query: "subscription { endless }" }), 2),
  invalid: await collect(main.iterate({ query: "{ nothing }" })),
  wrongToken: await attempt(() => collect(client("wrong").iterate({ query: "{ hello }" }))),
};

// The server ends the stream in the middle of the subscription: the client comes back and begins anew.
const returning = client(TOKEN, {
  retryAttempts: 100,
  retry: () => new Promise((resolve) => setTimeout(resolve, 20)),
});
const again = returning.iterate({ query: "subscription { waits }" });
const before = (await again.next()).value;
const after = (await again.next()).value;
await again.return();
output.reconnected = { before, after };
console.log(JSON.stringify(output));
