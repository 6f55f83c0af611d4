// Owns a large neighbourhood as verified submissions: accounts, meters, ladders, a day of readings. It refuses to be
// signed: whoever takes these believes them, as an object believes its gateway.

import { createHash } from "node:crypto";
import type { Submission } from "../evidence/signed-command.ts";
import type { Command } from "../protocol/commands.ts";
import type { Hex } from "../protocol/fields.ts";
import { nodeHex, QuadTree } from "../protocol/quad-tree.ts";
import type { VerifiedSigner } from "../protocol/verified-facts.ts";
import { authorisation, envelope, OPERATOR_ADDRESS, opening, orderOf, seedOf } from "./fleet.ts";

export const REGION = "measured";
/** A midnight; the region opens twelve hours before it. */
export const MIDNIGHT_S = 20_500 * 86_400;
export const FIRST_SLOT = MIDNIGHT_S / 900;
export const SLOTS = 96;

const OPERATOR: VerifiedSigner = { scheme: "wallet", address: OPERATOR_ADDRESS };
const SIGNATURE = `0x${"5a".repeat(65)}` as const;
const FIELD_ELEMENT = "12345678901234567890123456789012345678901234567890123456789012345678901234567";

/** As long as a proof is. */
const PROOF = {
  pi_a: [FIELD_ELEMENT, FIELD_ELEMENT, "1"],
  pi_b: [
    [FIELD_ELEMENT, FIELD_ELEMENT],
    [FIELD_ELEMENT, FIELD_ELEMENT],
    ["1", "0"],
  ],
  pi_c: [FIELD_ELEMENT, FIELD_ELEMENT, "1"],
  protocol: "groth16",
  curve: "bn128",
};

let lastCommand = 0;

/** A command as a gateway that verified it would hand it in. */
export function submission(
  command: Command,
  signer: VerifiedSigner,
  more: Partial<Submission> = {},
): Submission {
  lastCommand += 1;
  const auth =
    signer.scheme === "wallet"
      ? ({ scheme: "wallet", signature: SIGNATURE } as const)
      : ({ scheme: "session", key: signer.key, signature: SIGNATURE.slice(0, 130) as Hex } as const);
  return {
    command,
    commandId: seedOf(`command ${lastCommand}`),
    signer,
    evidence: null,
    auth,
    rawEvidence: null,
    ...more,
  };
}

export const addressOf = (home: number): Hex =>
  `0x${createHash("sha256").update(`home ${home}`).digest("hex").slice(0, 40)}`;
export const gatewayOf = (home: number): Hex => seedOf(`gateway ${home}`);
const keyOf = (home: number): Hex => seedOf(`key ${home}`);

/** Leaves enrolled so far, in their order, which is that of their positions. */
let leaves: bigint[] = [];
let lastRoot = { leaves: 0, root: nodeHex(new QuadTree().root) };

/** The region's opening, half a day before its first window, and its operator as the installer. */
export function openingSubmissions(atS: number, more: Parameters<typeof opening>[2] = {}): Submission[] {
  leaves = [];
  const appointment = { type: "appoint_installers" as const, installers: [OPERATOR_ADDRESS as Hex] };
  return [
    submission({ ...opening(REGION, seedOf("receipts"), more), ...envelope(REGION, atS) }, OPERATOR),
    submission({ ...appointment, ...envelope(REGION, atS) }, OPERATOR),
  ];
}

/** The root of everything enrolled so far; made again only when that has changed. */
function rootNow(): Hex {
  if (lastRoot.leaves !== leaves.length)
    lastRoot = { leaves: leaves.length, root: nodeHex(new QuadTree(leaves).root) };
  return lastRoot.root;
}

/** A credit of one micro: the smallest command that changes something. */
export function creditSubmission(home: number, atS: number, amountMicros = 1): Submission {
  const account = addressOf(home);
  return submission({ type: "credit_test_quote", account, ...envelope(REGION, atS), amountMicros }, OPERATOR);
}

/** A leaf below the field's order. */
const leafOf = (home: number): Hex => `0x00${seedOf(`leaf ${home}`).slice(4)}`;

/** What makes a home an account that may be paid: money, and a meter in the registry. */
export function enrolmentSubmissions(home: number, atS: number, creditMicros = 1_000_000_000): Submission[] {
  const gateway = gatewayOf(home);
  leaves.push(BigInt(leafOf(home)));
  const enrolment: Command = {
    type: "enrol_meter",
    ...envelope(REGION, atS),
    gatewayX: FIELD_ELEMENT.slice(0, 70) + String(home),
    gatewayY: "1",
    commitment: "1",
    connection: seedOf(`connection ${home}`),
    nameplateWh: 100_000,
    connectionWh: 100_000,
    saleCapWh: 1_000_000,
    purchaseCapWh: 1_000_000,
    windowSlots: SLOTS,
    replaces: `0x${"00".repeat(32)}`,
  };
  return [
    creditSubmission(home, atS, creditMicros),
    submission(enrolment, OPERATOR, { evidence: { kind: "gateway-consent", gateway, leaf: leafOf(home) } }),
  ];
}

/** Everything a home needs before its first window: money, a meter, a session key, and a ladder on each side. */
export function homeSubmissions(home: number, atS: number, steps: number): Submission[] {
  const account = addressOf(home);
  const session: VerifiedSigner = { scheme: "session", key: keyOf(home) };
  return [
    ...enrolmentSubmissions(home, atS),
    submission(authorisation(REGION, account, keyOf(home), atS), { scheme: "wallet", address: account }),
    submission(orderOf(REGION, account, "sell", steps, home, 0, atS), session),
    submission(orderOf(REGION, account, "buy", steps, home, 0, atS), session),
  ];
}

/** A home's readings of the day: load all day, and on two homes of three a sun that passes it at noon. */
export function readingsSubmission(home: number, atS: number): Submission {
  const peakWh = (home % 3) * 700;
  const netWh = Array.from({ length: SLOTS }, (_, slot) => {
    const sun = Math.max(0, Math.sin(((slot - 24) * Math.PI) / 48)) * peakWh;
    return Math.round(sun) - 90 - ((home * 31 + slot * 17) % 220);
  });
  return windowSubmission(home, atS, FIRST_SLOT, netWh, { scheme: "session", key: keyOf(home) });
}

/** A home's readings of a window. */
export function windowSubmission(
  home: number,
  atS: number,
  firstSlot: number,
  netWh: number[],
  signer: VerifiedSigner = { scheme: "wallet", address: addressOf(home) },
): Submission {
  const root = rootNow();
  const nullifier = seedOf(`nullifier ${home} ${firstSlot}`);
  return submission(
    { type: "submit_readings", account: addressOf(home), ...envelope(REGION, atS), firstSlot, netWh },
    signer,
    {
      evidence: { kind: "meter-proof", root, nullifier },
      rawEvidence: { kind: "meter-proof", root, nullifier, heldBack: [], proof: PROOF },
    },
  );
}

/** A home's order of two steps by its session key. */
export function orderSubmission(home: number, atS: number, salt: number): Submission {
  const side = salt % 2 === 0 ? "sell" : "buy";
  const order = orderOf(REGION, addressOf(home), side, 2, home + salt, 0, atS);
  return submission(order, { scheme: "session", key: keyOf(home) });
}
