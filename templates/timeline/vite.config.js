// Builds ../timeline.js: one classic script, inlined into the page, allowed there by its hash alone.
import { defineConfig } from "vite";

// Under `trusted-types 'none'` no text may be set as HTML; ECharts empties its element that way.
const emptied = {
  name: "empty-without-html",
  transform(code, id) {
    if (!/node_modules\/(zrender|echarts)\//.test(id)) return null;
    return { code: code.replace(/([\w.]+)\.innerHTML = '';/g, "$1.replaceChildren();"), map: null };
  },
};

export default defineConfig({
  plugins: [emptied],
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    outDir: "..",
    emptyOutDir: false,
    sourcemap: false,
    target: "es2021",
    reportCompressedSize: false,
    lib: { entry: "src/main.js", formats: ["iife"], name: "forensicsTimeline", fileName: () => "timeline.js" },
  },
});
