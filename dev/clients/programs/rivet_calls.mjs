// Rivet, Zoom's own: signs in by itself. Its two URLs are constants, so they are changed where its requests leave.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(`${process.env.CLIENT_FOLDER}/package.json`));
const { MeetingsS2SAuthClient } = require("@zoom/rivet/meetings");
const { UsersS2SAuthClient } = require("@zoom/rivet/users");
const axios = createRequire(require.resolve("@zoom/rivet/meetings"))("axios");

const gateway = process.env.GATEWAY_URL;
const ours = (url) =>
  url?.replace("https://api.zoom.us", gateway).replace(/^https:\/\/zoom\.us/, gateway);
axios.interceptors.request.use((request) => {
  request.baseURL = ours(request.baseURL);
  request.url = ours(request.url);
  return request;
});

const options = {
  clientId: process.env.GATEWAY_KEY_ID,
  clientSecret: process.env.GATEWAY_KEY_SECRET,
  accountId: process.env.GATEWAY_CONNECTION,
  disableReceiver: true,
};
const { endpoints } = new MeetingsS2SAuthClient(options);
const people = new UsersS2SAuthClient(options).endpoints;

assert.ok((await people.users.getUser({ path: { userId: "me" } })).data.email);
const body = { topic: "Rivët", type: 2, start_time: "2030-01-07T10:00:00Z", settings: { approval_type: 0 } };
const created = await endpoints.meetings.createMeeting({ path: { userId: "me" }, body });
assert.equal(created.statusCode, 201);
const meetingId = created.data.id;
assert.equal((await endpoints.meetings.getMeeting({ path: { meetingId } })).data.topic, "Rivët");
await endpoints.meetings.updateMeeting({ path: { meetingId }, body: { topic: "Changed" } });
const listed = await endpoints.meetings.listMeetings({ path: { userId: "me" }, query: { page_size: 300 } });
assert.ok(listed.data.meetings.some((each) => each.id === meetingId));
assert.match((await endpoints.meetings.getMeetingInvitation({ path: { meetingId } })).data.invitation, /Changed/);
const person = { email: "ada@example.com", first_name: "Ada" };
assert.equal((await endpoints.meetings.addMeetingRegistrant({ path: { meetingId }, body: person })).statusCode, 201);
assert.equal((await endpoints.meetings.listMeetingRegistrants({ path: { meetingId } })).data.registrants.length, 1);
await endpoints.meetings.deleteMeeting({ path: { meetingId } });
await assert.rejects(endpoints.meetings.getMeeting({ path: { meetingId } }), /3001|does not exist/);
const webinar = await endpoints.webinars.createWebinar({ path: { userId: "me" }, body: { topic: "W", type: 5 } });
assert.equal((await endpoints.webinars.getWebinar({ path: { webinarId: webinar.data.id } })).data.topic, "W");
assert.ok((await endpoints.cloudRecording.listAllRecordings({ path: { userId: "me" }, query: {} })).data);

// Every other method of both clients reaches Zoom, or is refused with a reason: none is unknown to the gateway.
const reasons = new Map();
axios.interceptors.response.use(undefined, (error) => {
  const { status, data } = error.response ?? { status: 0 };
  reasons.set(`${error.config?.method} ${error.config?.url}`, { status, reason: data?.reason });
  return Promise.reject(error);
});
const anything = new Proxy({}, { get: (_, name) => (name === "userId" ? "nobody@example.com" : "1") });
let called = 0;
for (const group of [...Object.values(endpoints), ...Object.values(people)]) {
  for (const method of Object.values(group)) {
    if (typeof method !== "function") continue;
    called += 1;
    await method({ path: anything, query: {}, body: {} }).catch(() => {});
  }
}
const lost = [...reasons].filter(([, { status, reason }]) => status === 0 || status >= 500 || /^(unknown_route|not_served_here)$/.test(reason));
assert.deepEqual(lost, []);
console.log(`rivet: ${called} methods;`, "sign-in, users, meetings, invitation, registrants, errors, webinars, recordings");
