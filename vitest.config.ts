// Owns how tests run: most on Node, those of the objects and the gateway inside workerd.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { DEPLOYMENT } from "./test/support/object-deployment.ts";
import { proverService } from "./test/support/prover-service.ts";
import { refereeService } from "./test/support/referee-service.ts";

const INSIDE_WORKERD = ["test/durable-objects/**/*.test.ts", "test/workers/**/*.test.ts"];

/** The region on a simulated platform: its clock and its faults are a seed's, so nothing in it is tried again either. */
const SIMULATED = "test/simulation/**/*.test.ts";

/** Nothing but the rooms without clock and I/O: whatever fails there failed, and is not tried again. */
const PURE = [
  "test/market/**/*.test.ts",
  "test/protocol/**/*.test.ts",
  "test/evidence/**/*.test.ts",
  // All but the one that starts other runtimes.
  "test/compute/!(runtimes).test.ts",
];

/**
 * Tests of processes, sockets and browsers share an automatic check's two cores with what they start; there one that
 * a busy moment failed is tried once more. At a desk it is not.
 */
const retry = process.env.CI === undefined ? 0 : 1;

/**
 * Processes, sockets and browsers first and one file at a time: they measure patience. Then what only computes, as many
 * files at a time as there are cores.
 */
const ALONE = { maxWorkers: 1, sequence: { groupOrder: 0 } } as const;
const SIDE_BY_SIDE = { maxWorkers: "100%", sequence: { groupOrder: 1 } } as const;

/** What only computes may have to wait for a core that others use; see tools/test.ts. */
const COMPUTING_TIMEOUT_MS = process.env.POLDER_TESTS_BESIDE === undefined ? 120_000 : 600_000;

// The assets binding wants its folder even where nobody has built the page yet.
mkdirSync(join(import.meta.dirname, "web/dist"), { recursive: true });

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "pure",
          ...SIDE_BY_SIDE,
          include: PURE,
          testTimeout: COMPUTING_TIMEOUT_MS,
        },
      },
      {
        test: {
          name: "node",
          ...ALONE,
          include: ["test/**/*.test.ts"],
          exclude: [...INSIDE_WORKERD, ...PURE, SIMULATED],
          retry,
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: {
          alias: [
            {
              find: "cloudflare:workers",
              replacement: join(import.meta.dirname, "test/simulation/workers-module.ts"),
            },
            {
              find: /^poseidon-lite\/poseidon\d+$/,
              replacement: join(import.meta.dirname, "test/simulation/kept-poseidon.ts"),
            },
          ],
        },
        test: {
          name: "simulation",
          ...SIDE_BY_SIDE,
          include: [SIMULATED],
          testTimeout: COMPUTING_TIMEOUT_MS,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: { ...DEPLOYMENT },
              serviceBindings: { PROVER: proverService, REFEREE: refereeService },
            },
          }),
        ],
        test: {
          name: "workers",
          ...ALONE,
          include: INSIDE_WORKERD,
          retry,
          // Ships ES modules without saying so in its package.json.
          deps: { optimizer: { ssr: { enabled: true, include: ["itty-durable"] } } },
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
