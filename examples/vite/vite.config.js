import { defineConfig } from "vite";

// While you develop, the page and the backend share one origin, and so the session's cookie.
const backend = process.env.BACKEND_URL ?? "http://localhost:8000";

export default defineConfig({
  server: { port: 5173, proxy: { "/zoom": backend, "/meetings": backend } },
});
