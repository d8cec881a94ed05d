/** The families of the API's description, written in by vite.config.ts. */
declare const __API_FAMILIES__: { name: string; title: string }[];
