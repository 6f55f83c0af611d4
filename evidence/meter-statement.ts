// Owns what the meter circuit states, seen from whoever verifies: the public signals, computed from the claims in the
// clear, and the leaf and nullifier that stand behind them. It refuses to take a maximum, a sum or a packing from the
// prover: with readings 0, 0, 0, 1 that proves claims far above them.

import { poseidon1 } from "poseidon-lite/poseidon1";
import { poseidon3 } from "poseidon-lite/poseidon3";
import { poseidon8 } from "poseidon-lite/poseidon8";
import type { Hex } from "../protocol/fields.ts";
import { MAX_WINDOW_CAP_WH } from "../protocol/limits.ts";
import { bytesOf } from "./bytes.ts";
import { FIELD_ORDER, type FieldPoint, isInSubgroup } from "./eddsa-poseidon.ts";
import { type EvidenceContext, refused, type Verdict } from "./evidence-kind.ts";
import { regionTag } from "./gateway-window.ts";
import { packSlots, slotField, WH_BITS } from "./slot-packing.ts";

const WH_BOUND = 2 ** WH_BITS;

/** A claim for one slot. Its direction is the signed reading's even where nothing is claimed: an export that is kept
 * back stays an export. A missing slot is an import of zero. */
export interface SlotClaim {
  readonly isExport: boolean;
  /** Whole Wh, 0 to 2²⁰ − 1. */
  readonly claimedWh: number;
}

/** Limits of one meter, in Wh: of one slot, and of a window's sums. */
export interface MeterLimits {
  readonly nameplateWh: number;
  readonly connectionWh: number;
  readonly saleCapWh: number;
  readonly purchaseCapWh: number;
}

/** What somebody claims to have proved. Root and nullifier are compared with the registry by the region. */
export interface MeterStatement {
  readonly context: EvidenceContext;
  readonly firstSlot: number;
  /** Root of the region's meters for this window. */
  readonly root: bigint;
  /** 20 bytes. */
  readonly account: Hex;
  readonly nullifier: bigint;
  /** One a slot of the window. */
  readonly claims: readonly SlotClaim[];
}

/** What is derived from claims in the clear. */
export interface ClaimTotals {
  readonly largestSaleWh: number;
  readonly largestPurchaseWh: number;
  readonly salesWh: number;
  readonly purchasesWh: number;
}

/**
 * Maxima and sums of a window's claims.
 * @returns null when a claim is not a whole number of Wh from 0 to 2²⁰ − 1.
 */
export function totalsOf(claims: readonly SlotClaim[]): ClaimTotals | null {
  let [largestSaleWh, largestPurchaseWh, salesWh, purchasesWh] = [0, 0, 0, 0];
  for (const { isExport, claimedWh } of claims) {
    if (!Number.isSafeInteger(claimedWh) || claimedWh < 0 || claimedWh >= WH_BOUND) return null;
    if (isExport) {
      largestSaleWh = Math.max(largestSaleWh, claimedWh);
      salesWh += claimedWh;
    } else {
      largestPurchaseWh = Math.max(largestPurchaseWh, claimedWh);
      purchasesWh += claimedWh;
    }
  }
  return { largestSaleWh, largestPurchaseWh, salesWh, purchasesWh };
}

/** Claims as the circuit sees them; each must have passed `totalsOf`. */
export function packClaims(claims: readonly SlotClaim[]): bigint[] {
  return packSlots(claims.length, (slot) => {
    const { isExport, claimedWh } = claims[slot] as SlotClaim;
    return slotField(isExport, claimedWh);
  });
}

/**
 * The public signals of a statement in the circuit's order: root, regionTag, firstSlot, accountTag, nullifier, largest
 * sale, largest purchase, sum of sales, sum of purchases, packed claims. 10 for a window of 4 slots, 18 for 96.
 *
 * @returns decimal strings, or `evidence_malformed` with the path of what is out of range.
 */
export function meterSignalsOf(statement: MeterStatement): Verdict<{ readonly signals: readonly string[] }> {
  const { context, firstSlot, root, account, nullifier, claims } = statement;
  const malformed = (path: string) => refused("evidence_malformed", { path });
  if (!isFieldElement(root)) return malformed("root");
  if (!isFieldElement(nullifier)) return malformed("nullifier");
  if (bytesOf(account, 20) === null) return malformed("account");
  if (!Number.isSafeInteger(firstSlot) || firstSlot < 0 || firstSlot % context.windowSlots !== 0) {
    return malformed("firstSlot");
  }
  if (claims.length !== context.windowSlots) return malformed("claims");
  const totals = totalsOf(claims);
  if (totals === null) return malformed("claims");
  const signals = [
    root,
    regionTag(context),
    firstSlot,
    BigInt(account),
    nullifier,
    totals.largestSaleWh,
    totals.largestPurchaseWh,
    totals.salesWh,
    totals.purchasesWh,
    ...packClaims(claims),
  ];
  return { ok: true, signals: signals.map(String) };
}

/** What an enrolment shows of a household's secret: Poseidon(secret). */
export function secretCommitment(secret: bigint): bigint {
  return poseidon1([fieldElement(secret, "secret")]);
}

/**
 * A meter's leaf: Poseidon(Ax, Ay, Poseidon(secret), regionTag, nameplate, connection, saleCap, purchaseCap).
 * The range checks stand here because the circuit relies on them.
 *
 * @throws RangeError for a key outside of the subgroup, or a limit beyond 20 (slot) or 27 bits (window).
 */
export function meterLeaf(key: FieldPoint, commitment: bigint, tag: bigint, limits: MeterLimits): bigint {
  if (!isInSubgroup(key)) throw new RangeError("the gateway's key must be in the prime-order subgroup");
  const { nameplateWh, connectionWh, saleCapWh, purchaseCapWh } = limits;
  const bounded = (value: number, most: number, what: string) => {
    if (!Number.isSafeInteger(value) || value < 0 || value > most) {
      throw new RangeError(`${what} must be 0 to ${most} Wh`);
    }
    return BigInt(value);
  };
  return poseidon8([
    key[0],
    key[1],
    fieldElement(commitment, "commitment"),
    fieldElement(tag, "regionTag"),
    bounded(nameplateWh, WH_BOUND - 1, "nameplate"),
    bounded(connectionWh, WH_BOUND - 1, "connection"),
    bounded(saleCapWh, MAX_WINDOW_CAP_WH, "cap of sales"),
    bounded(purchaseCapWh, MAX_WINDOW_CAP_WH, "cap of purchases"),
  ]);
}

/** Poseidon(secret, regionTag, firstSlot): the same for every proof of one meter and window. */
export function meterNullifier(secret: bigint, tag: bigint, firstSlot: number): bigint {
  return poseidon3([fieldElement(secret, "secret"), tag, BigInt(firstSlot)]);
}

function isFieldElement(value: bigint): boolean {
  return value >= 0n && value < FIELD_ORDER;
}

function fieldElement(value: bigint, what: string): bigint {
  if (!isFieldElement(value)) throw new RangeError(`${what} must be a field element`);
  return value;
}
