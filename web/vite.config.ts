import { cp, readdir, readFile } from "node:fs/promises";
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

/** The families of the API's description: each has a document that the gateway serves under /openapi. */
async function families(): Promise<{ name: string; title: string }[]> {
  const folder = "../layers/zoom_common/zoom_common/edge/openapi";
  const names = (await readdir(folder)).filter((file) => file.endsWith(".json")).sort();
  return Promise.all(
    names.map(async (file) => {
      const { tags } = JSON.parse(await readFile(`${folder}/${file}`, "utf8")) as { tags: { name: string }[] };
      return { name: file.replace(".json", ""), title: tags.map((tag) => tag.name).join(", ") };
    }),
  );
}

export default defineConfig({
  base: "/app/",
  define: { __ZOOM_SDK_VERSION__: JSON.stringify(version), __API_FAMILIES__: JSON.stringify(await families()) },
  plugins: [zoomAssets(version)],
  build: {
    rolldownOptions: { input: ["index.html", "api-reference.html"] },
    license: { fileName: "licenses.md" }, // of what is bundled; it is served beside the pages
    target: "es2022",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000,
  },
});
