// Owns the proving for tests inside workerd, where no prover runs: a household on the machine around it, asked over a
// service binding. It refuses nothing by itself; what there is no proof for the prover says, and that is the answer.

import type { Request as MiniflareRequest } from "miniflare";
import { Response as MiniflareResponse } from "miniflare";
import { readProvingArtifacts } from "../../circuits/artifacts.ts";
import { claimsOf } from "../../circuits/meter-witness.ts";
import { proveWindow } from "../../circuits/prover.ts";
import { endSnarkThreads } from "../../circuits/snark-threads.ts";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { pointOf } from "../../evidence/field-text.ts";
import { regionTag, signWindow } from "../../evidence/gateway-window.ts";
import { shownWindowOf } from "../../evidence/meter-proof.ts";
import { meterLeaf, secretCommitment } from "../../evidence/meter-statement.ts";
import { nodeHex, QuadTree } from "../../protocol/quad-tree.ts";
import type { WindowToProve } from "./window-to-prove.ts";

const proved = new Map<string, Promise<unknown>>();
let running = 0;

/** Answers a `WindowToProve` with the claims and the evidence of a real proof; the same question is proved once. */
export async function proverService(request: MiniflareRequest): Promise<MiniflareResponse> {
  const text = await request.text();
  let answer = proved.get(text);
  if (answer === undefined) {
    answer = prove(JSON.parse(text) as WindowToProve);
    proved.set(text, answer);
  }
  running += 1;
  try {
    return new MiniflareResponse(JSON.stringify(await answer));
  } catch (error) {
    return new MiniflareResponse(String(error), { status: 422 });
  } finally {
    running -= 1;
    // They would keep the tests' process alive.
    if (running === 0) await endSnarkThreads();
  }
}

async function prove(window: WindowToProve): Promise<unknown> {
  const { context, gatewaySeed, limits, leaves, netWh, policy, firstSlot, account } = window;
  const secret = BigInt(window.secret);
  const gateway = poseidonKeyOf(Buffer.from(gatewaySeed.slice(2), "hex"));
  const { signature } = signWindow(gatewaySeed, context, firstSlot, netWh);
  const leaf = meterLeaf(gateway, secretCommitment(secret), regionTag(context), limits);
  const position = leaves.indexOf(nodeHex(leaf));
  if (position < 0) throw new Error("the meter is not in the window's registry");
  const found = await proveWindow(
    {
      context,
      firstSlot,
      account,
      netWh,
      gateway,
      signature: { r8: pointOf(signature.r8), s: BigInt(signature.s) },
      secret,
      limits,
      path: new QuadTree(leaves.map(BigInt)).path(position),
      claims: claimsOf(netWh, policy),
    },
    await readProvingArtifacts(`meter-${context.windowSlots}`),
  );
  return shownWindowOf(found);
}
