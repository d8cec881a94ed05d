import { cp, readFile } from "node:fs/promises";
import { defineConfig, type Plugin } from "vite";

const sdk = "node_modules/@zoom/meetingsdk";

/** The Meeting SDK loads its workers and WebAssembly at run time. They come from here too, not from a third host. */
function zoomAssets(version: string): Plugin {
  return {
    name: "zoom-assets",
    apply: "build",
    async closeBundle() {
      await cp(`${sdk}/dist/lib/av`, `dist/zoom-sdk/${version}/av`, { recursive: true });
    },
  };
}

const { version } = JSON.parse(await readFile(`${sdk}/package.json`, "utf8")) as { version: string };

export default defineConfig({
  base: "/app/",
  define: { __ZOOM_SDK_VERSION__: JSON.stringify(version) },
  plugins: [zoomAssets(version)],
  build: { target: "es2022", modulePreload: { polyfill: false }, chunkSizeWarningLimit: 4000 },
});
