// SPDX-License-Identifier: GPL-3.0-only
// Owns the inputs of the meter circuit. It refuses readings, claims and limits for which there is no proof, and says
// which of them it is.

import type { SignalInput } from "snarkjs";
import { type FieldPoint, type PoseidonSignature, verifyPoseidon } from "../evidence/eddsa-poseidon.ts";
import type { EvidenceContext } from "../evidence/evidence-kind.ts";
import { packReadings, regionTag, windowMessage } from "../evidence/gateway-window.ts";
import {
  type MeterLimits,
  meterLeaf,
  meterNullifier,
  meterSignalsOf,
  type SlotClaim,
  secretCommitment,
  totalsOf,
} from "../evidence/meter-statement.ts";
import type { Hex } from "../protocol/fields.ts";
import { rootOfPath, type TreePath } from "../protocol/quad-tree.ts";
import { CIRCUITS } from "./manifest.ts";

export { type ClaimPolicy, claimsOf } from "../evidence/claim-policy.ts";

/** Everything a household knows about one of its windows. */
export interface WindowInputs {
  readonly context: EvidenceContext;
  readonly firstSlot: number;
  /** 20 bytes: the account that is paid. */
  readonly account: Hex;
  /** What the gateway signed: whole Wh a slot, export positive. Stays here. */
  readonly netWh: readonly number[];
  readonly gateway: FieldPoint;
  readonly signature: PoseidonSignature;
  /** The meter's secret, a random field element. Stays here. */
  readonly secret: bigint;
  readonly limits: MeterLimits;
  /** Where the meter's leaf is in the tree of this window. */
  readonly path: TreePath;
  /** What is claimed; `claimsOf` makes it. Becomes public. */
  readonly claims: readonly SlotClaim[];
}

/** Inputs by name, and what of them is public but not in the inputs. */
export interface MeterWitness {
  readonly signals: Readonly<Record<string, SignalInput>>;
  readonly root: bigint;
  readonly nullifier: bigint;
}

/**
 * The circuit's inputs for a window.
 * @throws RangeError naming the first thing that no proof exists for.
 */
export function meterWitness(inputs: WindowInputs): MeterWitness {
  const { context, firstSlot, gateway, signature, secret, limits, path, claims, netWh } = inputs;
  const tag = regionTag(context);
  requireWithinLimits(claims, limits);
  const unsoldWh = unsoldOf(netWh, claims, context.windowSlots);
  if (!verifyPoseidon(gateway, windowMessage(tag, firstSlot, packReadings(netWh)), signature)) {
    throw new RangeError("the gateway did not sign these readings for this window, region and chain");
  }
  const root = rootOfPath(meterLeaf(gateway, secretCommitment(secret), tag, limits), path);
  if (root === null) throw new RangeError("the path is not that of this key, secret, region and limits");
  const nullifier = meterNullifier(secret, tag, firstSlot);
  const { account } = inputs;
  const verdict = meterSignalsOf({ context, firstSlot, root, account, nullifier, claims });
  if (!verdict.ok) throw new RangeError(`out of range: ${verdict.facts.path}`);
  const signals: Record<string, SignalInput> = {
    ...publicInputs(context.windowSlots, verdict.signals),
    key: gateway,
    r8: signature.r8,
    s: signature.s,
    secret,
    nameplateWh: BigInt(limits.nameplateWh),
    connectionWh: BigInt(limits.connectionWh),
    saleCapWh: BigInt(limits.saleCapWh),
    purchaseCapWh: BigInt(limits.purchaseCapWh),
    children: path,
    unsoldWh,
  };
  return { signals, root, nullifier };
}

/** The public signals by the names that the manifest gives them, in its order. */
function publicInputs(slots: 4 | 96, values: readonly string[]): Record<string, SignalInput> {
  const inputs: Record<string, SignalInput> = {};
  let next = 0;
  for (const [name, elements] of CIRCUITS[`meter-${slots}`].publicSignals) {
    const own = values.slice(next, next + elements);
    inputs[name] = name === "packedClaims" ? own : (own[0] as string);
    next += elements;
  }
  return inputs;
}

function unsoldOf(netWh: readonly number[], claims: readonly SlotClaim[], slots: number): bigint[] {
  if (netWh.length !== slots || claims.length !== slots) {
    throw new RangeError(`a window has ${slots} readings and as many claims`);
  }
  return netWh.map((net, slot) => {
    const { isExport, claimedWh } = claims[slot] as SlotClaim;
    if (isExport !== net > 0)
      throw new RangeError(`slot ${slot}: the claim's direction is not the reading's`);
    const unsold = Math.abs(net) - claimedWh;
    if (unsold < 0) throw new RangeError(`slot ${slot}: the claim is above the reading`);
    return BigInt(unsold);
  });
}

function requireWithinLimits(claims: readonly SlotClaim[], limits: MeterLimits): void {
  const totals = totalsOf(claims);
  if (totals === null) throw new RangeError("a claim is whole Wh from 0 to 2²⁰ − 1");
  if (totals.largestSaleWh > limits.nameplateWh) throw new RangeError("a sale is above the nameplate");
  if (totals.largestPurchaseWh > limits.connectionWh)
    throw new RangeError("a purchase is above the connection");
  if (totals.salesWh > limits.saleCapWh) throw new RangeError("the sales are above the window's cap");
  if (totals.purchasesWh > limits.purchaseCapWh)
    throw new RangeError("the purchases are above the window's cap");
}
