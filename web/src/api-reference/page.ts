/**
 * The API's page: Scalar shows the OpenAPI document of each family of operations, and the AsyncAPI document of the events.
 *
 * Everything comes from the page's own origin, and calls are tried there. On a laptop the front door writes the local API
 * key into the page; elsewhere people type theirs, and it is kept nowhere. https://scalar.com/products/api-references/configuration
 */
import { createApiReference } from "@scalar/api-reference";
import "@scalar/api-reference/style.css";
import "../theme.css";
import "./page.css";
import { complete } from "./readers";
import asyncapi from "../../../docs/api/asyncapi.json";

const key = document.querySelector<HTMLMetaElement>('meta[name="api-key"]')?.content ?? "";
const note = document.getElementById("key");
if (note) note.textContent = key ? "Calls that you try here use the API key of this machine." : "Type an API key under Authentication to try calls here.";

const shared = {
  // Features that would call other hosts, or that only Scalar's own service has.
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
  hideDarkModeToggle: true, // as the system has it, as on every page here
  documentDownloadType: "json",
  theme: "none",
} as const;
const families = __API_FAMILIES__.map(({ name, title }) => ({
  ...shared,
  title,
  slug: name,
  url: `/openapi/${name}.json`,
  servers: [{ url: location.origin }],
  authentication: { preferredSecurityScheme: "key", securitySchemes: { key: { token: key } } },
  defaultHttpClient: { targetKey: "shell", clientKey: "curl" } as const,
}));
const events = { ...shared, title: "Events", slug: "events", content: asyncapi, hideTestRequestButton: true };

createApiReference("#reference", [...families, events]);
complete(document.body);
