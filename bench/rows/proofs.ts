// Owns the rows of the meter proof: its constraints, the time to prove a window on Node and in a browser, and our
// verifier inside workerd against snarkjs in Node. It refuses proofs that snarkjs does not accept.

import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { groth16 } from "snarkjs";
import { readProvingArtifacts, readVerificationKey } from "../../circuits/artifacts.ts";
import { compileCircuit } from "../../circuits/compile.ts";
import { CIRCUITS, publicElementsOf } from "../../circuits/manifest.ts";
import { type ProvedWindow, type ProvingArtifacts, proveWindow } from "../../circuits/prover.ts";
import type { ProvingOrder } from "../../circuits/proving-worker.ts";
import { endSnarkThreads } from "../../circuits/snark-threads.ts";
import { regionTag } from "../../evidence/gateway-window.ts";
import { meterLeaf, secretCommitment } from "../../evidence/meter-statement.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { nodeHex, QuadTree } from "../../protocol/quad-tree.ts";
import { CHROMIUM, hasChromium } from "../../tools/chromium.ts";
import { sampleSecret, sampleWindow } from "../../tools/sample-household.ts";
import { BrowserProver } from "../browser-prover.ts";
import { median } from "../median.ts";
import { startParts, timePart } from "../parts.ts";
import { compared, limited, type Measurement, type Row } from "../row.ts";

const PROOFS = 64;
const ROUNDS = 5;
const PROVED = 5;
const FIRST_ROUNDS = 5;
const BUDGET = { 4: 8_181, 96: 10_400 } as const;

/** Compiles from source: what the manifest says is not a measurement. */
async function constraintRow(slots: 4 | 96): Promise<Row> {
  const name = `meter-${slots}` as const;
  const { constraints } = await compileCircuit(name, CIRCUITS[name]);
  return limited({
    name: `constraints-${slots}`,
    ours: constraints,
    unit: "constraints",
    higherIsBetter: false,
    limit: `at most ${BUDGET[slots]}`,
    isWithinLimit: constraints <= BUDGET[slots],
    note: `the meter statement over ${slots} slots, compiled by circom2 at O2`,
  });
}

/** Proves a window and times it. */
async function nodeProof(slots: 4 | 96, artifacts: ProvingArtifacts) {
  const inputs = sampleWindow(slots);
  const started = performance.now();
  const proved = await proveWindow(inputs, artifacts);
  return { seconds: (performance.now() - started) / 1_000, proved };
}

/** Proves the sample's day on Node and in a browser by turns, and an hour on Node for the note. */
async function proving(
  say: (line: string) => void,
): Promise<{ readonly rows: Row[]; readonly day: ProvedWindow }> {
  const hour = await readProvingArtifacts("meter-4");
  const day = await readProvingArtifacts("meter-96");
  if (!hasChromium()) say(`no ${CHROMIUM}: proving in a browser is not measured`);
  const browser = hasChromium() ? await BrowserProver.start() : null;
  const seconds: Record<"hour" | "day" | "browser", number[]> = { hour: [], day: [], browser: [] };
  let proved: ProvedWindow | undefined;
  try {
    for (let round = 0; round <= PROVED; round += 1) {
      const onNode = { hour: await nodeProof(4, hour), day: await nodeProof(96, day) };
      const inBrowser = await browser?.prove(browserOrder());
      if (inBrowser !== undefined) await requireAccepted(inBrowser.proved);
      proved = onNode.day.proved;
      // The first round warms up.
      if (round === 0) continue;
      seconds.hour.push(onNode.hour.seconds);
      seconds.day.push(onNode.day.seconds);
      if (inBrowser !== undefined) seconds.browser.push(inBrowser.seconds);
    }
  } finally {
    await browser?.stop();
  }
  const hourSeconds = median(seconds.hour);
  const rows = [nodeRow(median(seconds.day), hourSeconds)];
  if (browser !== null) rows.push(browserRow(median(seconds.browser), median(seconds.day)));
  return { rows, day: proved as ProvedWindow };
}

function nodeRow(daySeconds: number, hourSeconds: number): Row {
  return limited({
    name: "prove-node",
    ours: daySeconds,
    unit: "s",
    higherIsBetter: false,
    limit: "reported, none set",
    note: `a window of 96 slots, witness included, median of ${PROVED}; 4 slots ${hourSeconds.toFixed(2)} s`,
  });
}

function browserRow(ours: number, peer: number): Row {
  return compared({
    name: "prove-browser",
    ours,
    peer,
    unit: "s",
    higherIsBetter: false,
    note: `a window of 96 slots in headless Chromium: the page's worker, one thread, circuit loaded, the registry's path and the witness included; the peer is prove-node of this run, with its threads; medians of ${PROVED} alternating rounds after one that warms up`,
  });
}

/** The sample's day as the page orders it; the worker finds the path among a dozen meters by itself. */
function browserOrder(): Omit<ProvingOrder, "artifacts"> {
  const { path: _path, root: _root, ...inputs } = sampleWindow(96);
  const { gateway, secret, context, limits } = inputs;
  const leaves = Array.from({ length: 12 }, (_, home) => sampleSecret(`neighbour ${home}`));
  leaves[7] = meterLeaf(gateway, secretCommitment(secret), regionTag(context), limits);
  const root = nodeHex(new QuadTree(leaves).root);
  return { inputs, registry: { firstSlot: inputs.firstSlot, root, leaves: leaves.map(nodeHex) } };
}

async function requireAccepted({ publicSignals, proof }: ProvedWindow): Promise<void> {
  const key = (await readVerificationKey("meter-96")) as object;
  if (!(await groth16.verify(key, publicSignals, proof))) throw new Error("snarkjs refuses the proof");
}

async function verifying(day: ProvedWindow, say: (line: string) => void): Promise<Row[]> {
  const key = (await readVerificationKey("meter-96")) as object;
  const { publicSignals, proof } = day;
  await requireAccepted(day);
  const { origin } = CIRCUITS["meter-96"];
  const use = { origin, chainId: LOCAL_CHAIN_ID, publicElements: publicElementsOf(CIRCUITS["meter-96"]) };
  const items = Array.from({ length: PROOFS }, () => ({ signals: publicSignals, proof }));
  const given = { key, use, items };
  const bySnarkjs = async () => {
    const started = performance.now();
    for (const item of items) await groth16.verify(key, item.signals, item.proof);
    return (performance.now() - started) / 1_000;
  };
  const rates: Record<"single" | "batch" | "peer", number[]> = { single: [], batch: [], peer: [] };
  const stack = await startParts();
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      const seconds = {
        single: await timePart(stack, "proofs/single", given),
        peer: await bySnarkjs(),
        batch: await timePart(stack, "proofs/batch", given),
      };
      // The first round warms up.
      if (round === 0) continue;
      for (const side of ["single", "batch", "peer"] as const) rates[side].push(PROOFS / seconds[side]);
    }
  } finally {
    await stack.stop();
  }
  const [single, batch, peer] = [median(rates.single), median(rates.batch), median(rates.peer)];
  say(`one by one ${single.toFixed(1)}/s, in a batch ${batch.toFixed(1)}/s, snarkjs ${peer.toFixed(1)}/s`);
  const method = `18 signals, subgroup checks in; ours inside workerd timed from outside, the peer snarkjs.groth16.verify in Node with its threads; medians of ${ROUNDS} alternating rounds`;
  const common = { peer, unit: "proofs/s", higherIsBetter: true } as const;
  return [
    compared({ name: "verify-single", ours: single, ...common, note: `target at least 1; ${method}` }),
    compared({
      name: "verify-batch",
      ours: batch,
      ...common,
      note: `${PROOFS} in a batch, target at least 2; ${method}`,
    }),
  ];
}

/** What a Worker that never verified anything pays for its first proof: reading the key, its pairing, its tables. */
async function firstRequest(day: ProvedWindow): Promise<Row> {
  const key = await readVerificationKey("meter-96");
  const { origin } = CIRCUITS["meter-96"];
  const use = { origin, chainId: LOCAL_CHAIN_ID, publicElements: publicElementsOf(CIRCUITS["meter-96"]) };
  const given = { key, use, items: [{ signals: day.publicSignals, proof: day.proof }] };
  const first: number[] = [];
  const later: number[] = [];
  for (let round = 0; round < FIRST_ROUNDS; round += 1) {
    const stack = await startParts();
    try {
      first.push((await timePart(stack, "proofs/single", given)) * 1_000);
      for (let warm = 0; warm < 3; warm += 1) await timePart(stack, "proofs/single", given);
      later.push((await timePart(stack, "proofs/single", given)) * 1_000);
    } finally {
      await stack.stop();
    }
  }
  return limited({
    name: "verify-first-request",
    ours: median(first),
    unit: "ms",
    higherIsBetter: false,
    limit: "reported, none set",
    note: `request and answer included, median of ${FIRST_ROUNDS} fresh processes; the fifth request ${median(later).toFixed(0)} ms`,
  });
}

/** What the verifier adds to a Worker, minified, keys of both window lengths included. */
async function bundleRow(): Promise<Row> {
  const { outputFiles } = await build({
    entryPoints: ["bench/verifier-entry.ts"],
    bundle: true,
    minify: true,
    // The gateway has it anyway.
    external: ["zod"],
    write: false,
    format: "esm",
    logLevel: "silent",
  });
  const bytes = (outputFiles[0] as { contents: Uint8Array }).contents;
  return limited({
    name: "verifier-bundle",
    ours: bytes.length / 1_000,
    unit: "kB",
    higherIsBetter: false,
    limit: "reported, none set",
    note: `minified, with noble, Poseidon and both keys, without zod, which the gateway has anyway; ${(gzipSync(bytes).length / 1_000).toFixed(0)} kB gzipped`,
  });
}

/** Measures the rows. */
export const measure: Measurement = async (say) => {
  try {
    const constraints = [await constraintRow(96), await constraintRow(4)];
    say(`constraints ${constraints.map(({ ours }) => ours).join(" and ")}`);
    const { rows, day } = await proving(say);
    say(rows.map(({ name, ours }) => `${name} ${ours} s`).join(", "));
    const proved = [...rows, ...(await verifying(day, say))];
    return [...constraints, ...proved, await firstRequest(day), await bundleRow()];
  } finally {
    await endSnarkThreads();
  }
};
