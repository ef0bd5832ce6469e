import { defineConfig } from "vite";

export default defineConfig({
  // Relative addresses, so that the console also works behind a proxy that serves it under a path.
  base: "./",
  oxc: { jsx: { runtime: "automatic" } },
  worker: { format: "es" },
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    // Every asset is a file with a hashed name: the server lets browsers keep those for good.
    assetsInlineLimit: 0,
    // Monaco is one chunk of this size, loaded after sign-in.
    chunkSizeWarningLimit: 4_000,
    rolldownOptions: {
      // GraphiQL's icons take their titles, which people and screen readers see, from the names of functions.
      output: { keepNames: true },
      // "use client" in GraphiQL's parts is for frameworks that render on a server.
      checks: { moduleLevelDirective: false },
    },
  },
});
