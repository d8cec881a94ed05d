// Zoom's own framework, as its documentation shows it: verify, dispatch, nothing else.
import { AwsLambdaReceiver, MeetingsS2SAuthClient } from "@zoom/rivet/meetings";

console.debug = () => {}; // it logs whole events, which would cost it more than its own work

const receiver = new AwsLambdaReceiver({ webhooksSecretToken: "benchmark-zoom-secret" });
const client = new MeetingsS2SAuthClient({ clientId: "c", clientSecret: "s", accountId: "a", receiver });
client.webEventConsumer.event("meeting.started", () => {});

export const handler = await client.start();
