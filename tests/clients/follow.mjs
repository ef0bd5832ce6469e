// Drives a client (graphql-ws or graphql-sse: both have `iterate`) by lines of JSON from standard input:
// {start, query, variables} begins an operation, {stop} ends it; each answer is written as {number, answer}.
import { createInterface } from "node:readline";

export async function follow(client) {
  const running = new Map();
  for await (const line of createInterface({ input: process.stdin })) {
    const { start, stop, query, variables } = JSON.parse(line);
    if (stop !== undefined) {
      await running.get(stop)?.return();
      running.delete(stop);
    } else {
      const operation = { query, variables };
      const answers = client.iterate(operation);
      running.set(start, answers);
      // Not awaited: others begin meanwhile.
      relay(start, operation, answers);
    }
  }
  await Promise.all([...running.values()].map((answers) => answers.return()));
  client.dispose();
}

async function relay(number, operation, answers) {
  try {
    for await (const answer of answers) {
      // Both clients send the operation anew when they come back: by then it begins behind this answer.
      if (operation.variables.after !== undefined) {
        operation.variables.after = Object.values(answer.data)[0].cursor;
      }
      write(number, answer);
    }
  } catch (error) {
    write(number, { failed: describe(error) });
  }
}

function describe(error) {
  if (Array.isArray(error)) return JSON.stringify(error);
  return error.code === undefined ? String(error.message ?? error) : `closed with ${error.code}: ${error.reason}`;
}

function write(number, answer) {
  process.stdout.write(`${JSON.stringify({ number, answer })}\n`);
}
