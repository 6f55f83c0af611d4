// Owns how tests run: most on Node, those of the objects and the gateway inside workerd.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { DEPLOYMENT } from "./test/support/object-deployment.ts";

const INSIDE_WORKERD = ["test/durable-objects/**/*.test.ts", "test/workers/**/*.test.ts"];

// The assets binding wants its folder even where nobody has built the page yet.
mkdirSync(join(import.meta.dirname, "web/dist"), { recursive: true });

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: INSIDE_WORKERD,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: { ...DEPLOYMENT } },
          }),
        ],
        test: {
          name: "workers",
          include: INSIDE_WORKERD,
          // Ships ES modules without saying so in its package.json.
          deps: { optimizer: { ssr: { enabled: true, include: ["itty-durable"] } } },
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
