// Slack's framework for Node: the same scheme of signatures under other names.
import bolt from "@slack/bolt";

const receiver = new bolt.AwsLambdaReceiver({ signingSecret: "benchmark-slack-secret", logLevel: "error" });
const app = new bolt.App({
  receiver,
  authorize: async () => ({ botToken: "t", botId: "B1", botUserId: "U1" }),
  processBeforeResponse: true,
});
app.event("app_mention", async () => {});

export const handler = await receiver.start();
