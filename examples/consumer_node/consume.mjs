// Read the gateway's events from the integration queue. Settings: QUEUE_URL, and the usual ones of AWS.
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});
const QueueUrl = process.env.QUEUE_URL;

/** Do your work here. An event may come twice with the same id: make the work safe to repeat, or remember ids. */
async function handle(event) {
  console.log(event.id, event.type, event.data.payload?.object?.id ?? "");
}

/** Handle up to ten events. One that throws stays on the queue and comes again. */
async function consumeOnce(WaitTimeSeconds = 20) {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds }),
  );
  for (const { Body, ReceiptHandle } of Messages) {
    await handle(JSON.parse(Body));
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  }
}

for (;;) await consumeOnce();
