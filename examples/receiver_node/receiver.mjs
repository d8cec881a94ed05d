// A receiver of the gateway's events: checks signatures, answers the verification, and handles each event once.
// Run it behind HTTPS:  npm ci && WEBHOOK_SECRET=whsec_... node receiver.mjs
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const largestBody = 1_100_000;
// In production: a table with the ids of the last days.
const seen = new Set();

// Do your work here, or better: put the event into a queue of your own and return.
function handle(event) {
  console.log(event.type, event.subject ?? "", event.id);
}

async function bodyOf(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > largestBody) throw new Error("too large");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function answer(response, status, document) {
  const content = document === undefined ? "" : JSON.stringify(document);
  response.writeHead(status, content ? { "content-type": "application/json" } : {});
  response.end(content);
}

const server = createServer(async (request, response) => {
  let event;
  try {
    // The signature is over the raw body: check it before anything reads it.
    event = new Webhook(process.env.WEBHOOK_SECRET).verify(await bodyOf(request), request.headers);
  } catch {
    answer(response, 401);
    return;
  }
  if (event.type === "subscription.verification") {
    answer(response, 200, { challenge: event.data.challenge }); // yes, we want events
    return;
  }
  if (!seen.has(event.id)) {
    // an event may come twice, always with the same id
    handle(event);
    seen.add(event.id);
  }
  answer(response, 204);
});

server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => console.log(`port ${server.address().port}`));
