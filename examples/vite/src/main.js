// The front end of examples/fastapi or examples/django, which the settings name. It holds no key and no token of Zoom's.
//   VITE_API_URL          the backend, empty for the page's own origin
//   VITE_ZOOM_CLIENT_ID   shown with the link, so that people know which app they agree to
//   VITE_ZOOM_OAUTH_URL   the consent page that the backend's link leads to
const { VITE_API_URL = "", VITE_ZOOM_CLIENT_ID = "", VITE_ZOOM_OAUTH_URL = "" } = import.meta.env;

const link = document.querySelector("#connect");
link.href = `${VITE_API_URL}/zoom/connect`;
if (VITE_ZOOM_CLIENT_ID) link.title = `The app ${VITE_ZOOM_CLIENT_ID} at ${VITE_ZOOM_OAUTH_URL}`;

document.querySelector("#create").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = document.querySelector("#answer");
  const topic = new FormData(event.target).get("topic");
  const made = await fetch(`${VITE_API_URL}/meetings`, {
    method: "POST",
    credentials: "include",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ topic, type: 2 }),
  });
  const body = await made.json();
  answer.textContent = made.ok ? `Meeting ${body.id}: ${body.join_url}` : (body.message ?? body.detail);
});
