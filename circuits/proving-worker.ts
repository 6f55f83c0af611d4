// SPDX-License-Identifier: GPL-3.0-only
// Owns the worker in which a browser proves windows. It refuses artifacts whose hash is not the manifest's, and asks
// nobody for anything: it is handed what it needs, and is served with a policy under which it could not connect.

import { type Bytes, hexOf } from "../evidence/bytes.ts";
import { regionTag } from "../evidence/gateway-window.ts";
import { meterLeaf, secretCommitment } from "../evidence/meter-statement.ts";
import type { Registry } from "../protocol/answers.ts";
import { LeafTree } from "../protocol/leaf-tree.ts";
import type { TreePath } from "../protocol/quad-tree.ts";
import { CIRCUITS } from "./manifest.ts";
import type { WindowInputs } from "./meter-witness.ts";
import { type ProvedWindow, type ProvingArtifacts, proveWindow } from "./prover.ts";
import { useNoSnarkThreads } from "./snark-threads.ts";

/** What the worker does, in this order; each is told when it begins. */
export type ProvingStep = "hash" | "path" | "witness" | "proof";

/** A window to prove. The artifacts come with the first one and are kept. */
export interface ProvingOrder {
  readonly inputs: Omit<WindowInputs, "path">;
  readonly registry: Registry;
  readonly artifacts?: ProvingArtifacts;
}

/** Why a window is not proved; `fault` is one of ours. */
export type ProvingRefusal = "fault" | "artifact_wrong" | "inputs_refused" | "leaf_missing" | "root_wrong";

/** What the worker tells. */
export type ProvingReport =
  | { readonly kind: "step"; readonly step: ProvingStep }
  | { readonly kind: "proved"; readonly proved: ProvedWindow }
  | { readonly kind: "refused"; readonly reason: ProvingRefusal; readonly detail: string };

/** The part of a dedicated worker's global scope that this file uses; Node's types have no such scope. */
interface WorkerScope {
  onmessage: (event: { readonly data: ProvingOrder }) => void;
  postMessage(report: ProvingReport): void;
}

class Refused extends Error {
  readonly reason: ProvingRefusal;
  constructor(reason: ProvingRefusal, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** The registry's of the last window; the next one's differs by a few leaves. */
const tree = new LeafTree();
let kept: { readonly windowSlots: number; readonly artifacts: ProvingArtifacts } | undefined;

async function prove(order: ProvingOrder, onStep: (step: ProvingStep) => void): Promise<ProvedWindow> {
  const { inputs, registry, artifacts } = order;
  const { windowSlots } = inputs.context;
  if (artifacts !== undefined) {
    onStep("hash");
    await requireHashes(`meter-${windowSlots}`, artifacts);
    kept = { windowSlots, artifacts };
  }
  if (kept?.windowSlots !== windowSlots) throw new Error(`no artifacts for windows of ${windowSlots} slots`);
  onStep("path");
  const path = pathOf(inputs, registry);
  await useNoSnarkThreads();
  return proveWindow({ ...inputs, path }, kept.artifacts, onStep);
}

async function requireHashes(circuit: "meter-4" | "meter-96", artifacts: ProvingArtifacts): Promise<void> {
  for (const kind of ["wasm", "zkey"] as const) {
    const digest = await crypto.subtle.digest("SHA-256", artifacts[kind] as Bytes);
    const isNamed = hexOf(new Uint8Array(digest)) === `0x${CIRCUITS[circuit].sha256[kind]}`;
    if (!isNamed) throw new Refused("artifact_wrong", `${circuit}.${kind}`);
  }
}

function pathOf({ context, gateway, secret, limits }: ProvingOrder["inputs"], registry: Registry): TreePath {
  const leaf = meterLeaf(gateway, secretCommitment(secret), regionTag(context), limits);
  if (tree.bringTo(registry.leaves) !== registry.root) throw new Refused("root_wrong", "");
  const path = tree.pathOf(leaf);
  if (path === null) throw new Refused("leaf_missing", "");
  return path;
}

/** A RangeError says what no proof exists for. */
function refusalOf(error: unknown): ProvingReport {
  if (error instanceof Refused) return { kind: "refused", reason: error.reason, detail: error.message };
  if (error instanceof RangeError)
    return { kind: "refused", reason: "inputs_refused", detail: error.message };
  return { kind: "refused", reason: "fault", detail: String(error) };
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = async ({ data }) => {
  try {
    const proved = await prove(data, (step) => scope.postMessage({ kind: "step", step }));
    scope.postMessage({ kind: "proved", proved });
  } catch (error) {
    scope.postMessage(refusalOf(error));
  }
};
