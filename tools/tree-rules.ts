// Owns the rules of the tree: which room may import which, how long things may be, and what the pure rooms
// must not touch. It refuses exceptions; what is over a limit today stands in tree-allowances.json.

export const FILE_LINES = 400;
export const FUNCTION_LINES = 70;

/** Per room, the rooms that it may import besides itself (`a ◄── b` read from b's side, transitively). */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  market: ["protocol"],
  // The objects sign receipts, whose form is evidence's.
  "durable-objects": ["market", "evidence", "compute", "protocol", "governance"],
  evidence: ["protocol"],
  // What makes a job's module deterministic and countable runs in Workers, browsers and Node alike.
  compute: ["protocol"],
  workers: ["durable-objects", "market", "evidence", "compute", "protocol", "governance"],
  // The prover builds the very statement that evidence verifies.
  circuits: ["evidence", "protocol"],
  // Solidity and the ABI generated from it, which others may read, and how it is deployed: under keys that evidence checks.
  governance: ["evidence", "protocol"],
  // The local stack builds the page before it serves it, hence tools.
  clients: ["evidence", "market", "compute", "circuits", "protocol", "governance", "tools"],
  web: ["clients", "evidence", "market", "circuits", "protocol", "governance"],
  // Generators of vectors and artifacts read the pure rooms; a script never reads a client.
  tools: ["protocol", "market", "evidence", "compute", "circuits", "governance"],
  bench: [
    "protocol",
    "market",
    "durable-objects",
    "evidence",
    "compute",
    "workers",
    "circuits",
    "governance",
    "clients",
    "web",
    "tools",
  ],
  test: [
    "protocol",
    "market",
    "durable-objects",
    "evidence",
    "compute",
    "workers",
    "circuits",
    "governance",
    "clients",
    "web",
    "tools",
    "bench",
  ],
};

/** Per room, the rooms whose JSON it may read without importing their code: keys are data, whoever proves under them. */
export const MAY_READ: Readonly<Record<string, readonly string[]>> = { evidence: ["circuits"] };

/** Folders that would become everybody's drawer. */
export const FORBIDDEN_FOLDERS = new Set([
  "util",
  "utils",
  "lib",
  "libs",
  "common",
  "core",
  "helper",
  "helpers",
]);

/** Folders with nothing of ours in them. */
export const SKIPPED_FOLDERS = new Set(["node_modules", "dist", "coverage", "generated", "out", "cache"]);

/** Packages that a pure room may import; undefined for the rooms that may import any. */
export const PURE_PACKAGES: Readonly<Record<string, RegExp>> = {
  protocol: /^(viem|zod|poseidon-lite|@noble\/[a-z-]+)(\/|$)/,
  market: /^$/,
  compute: /^@noble\/hashes\//,
};

/** Globals that would make a decision depend on more than its arguments. */
export const IMPURE_GLOBALS = new Set([
  "Date",
  "fetch",
  "console",
  "globalThis",
  "process",
  "performance",
  "setTimeout",
  "setInterval",
  "queueMicrotask",
  "Promise",
]);

/** What the title of a test begins with. */
export const TEST_TITLE = /^(rejects|behavior|invariant|property|regression): /;

/** Kebab-case, with a role after a dot where a tool asks for one. */
export const FILE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|bench|config|d))?\.(ts|mjs|js|circom|sh|css|html)$/;
export const SOLIDITY_NAME = /^[A-Z][A-Za-z0-9]*(\.[ts])?\.sol$/;
