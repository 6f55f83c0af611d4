// Owns what an agent must not forget: every window that was signed, where it ended, every proof it made, every receipt it was
// given, and its leaf of every epoch. It refuses to forget; lines are only ever added, and written to disk before anything is sent.

import { z } from "zod";
import { pointOf } from "../../evidence/field-text.ts";
import { type GatewayWindow, gatewayIdOf, gatewayWindowSchema } from "../../evidence/gateway-window.ts";
import { meterProofSchema, type ShownWindow } from "../../evidence/meter-proof.ts";
import { type Receipt, receiptSchema } from "../../evidence/receipt.ts";
import { address, bytes32, count, type Hex, readingWh, slotNumber } from "../../protocol/fields.ts";
import { type KeptLeaf, keptLeafSchema, readLeaf, textOfLeaf } from "../chain/kept-leaf.ts";
import { openLines } from "./line-file.ts";
import type { Registers } from "./meter-source.ts";

/** A window as it was signed: it is never signed differently. */
export interface SignedWindow {
  readonly firstSlot: number;
  readonly netWh: readonly number[];
  readonly signed: GatewayWindow;
}

/** The meter's registers where a window ended. */
export interface WindowEnd extends Registers {
  /** The first slot after the window. */
  readonly untilSlot: number;
}

/** A window's claims with their proof, for one account. What it is about is its nullifier. */
export interface KeptProof extends ShownWindow {
  readonly account: Hex;
  readonly firstSlot: number;
}

/** What is remembered of one gateway. */
export interface GatewayMemory {
  signedWindow(firstSlot: number): SignedWindow | undefined;
  /** The last end of a window that was over when `firstSlot` began. */
  endBefore(firstSlot: number): WindowEnd | undefined;
  rememberEnd(end: WindowEnd): void;
  rememberWindow(window: SignedWindow): void;
}

/** What an agent remembers. */
export interface AgentMemory {
  /** @param gateway id of the gateway's key. */
  ofGateway(gateway: Hex): GatewayMemory;
  /** The last proof with a nullifier, so of one meter and window. */
  proof(nullifier: Hex): KeptProof | undefined;
  rememberProof(proof: KeptProof): void;
  receipts(): readonly Receipt[];
  rememberReceipt(receipt: Receipt): void;
  /** Its leaves of closed epochs, in the order they were kept in. */
  leaves(): readonly KeptLeaf[];
  rememberLeaf(leaf: KeptLeaf): void;
}

/** A memory that ends with the process. */
export function volatileMemory(): AgentMemory {
  const gateways = new Map<Hex, GatewayMemory>();
  const proofs = new Map<Hex, KeptProof>();
  const receipts: Receipt[] = [];
  const leaves: KeptLeaf[] = [];
  return {
    ofGateway(gateway) {
      const memory = gateways.get(gateway) ?? volatileGatewayMemory();
      gateways.set(gateway, memory);
      return memory;
    },
    proof: (nullifier) => proofs.get(nullifier),
    rememberProof: (proof) => void proofs.set(proof.evidence.nullifier, proof),
    receipts: () => receipts,
    rememberReceipt: (receipt) => void receipts.push(receipt),
    leaves: () => leaves,
    rememberLeaf: (leaf) => void leaves.push(leaf),
  };
}

function volatileGatewayMemory(): GatewayMemory {
  const windows = new Map<number, SignedWindow>();
  const ends: WindowEnd[] = [];
  return {
    signedWindow: (firstSlot) => windows.get(firstSlot),
    endBefore: (firstSlot) => ends.findLast(({ untilSlot }) => untilSlot <= firstSlot),
    rememberEnd: (end) => void ends.push(end),
    rememberWindow: (window) => void windows.set(window.firstSlot, window),
  };
}

const slots = z.array(readingWh).min(4).max(96);
/** A line of the file; fields of a release that remembers more are left alone. */
const lineSchema = z.object({
  window: z.object({ firstSlot: slotNumber, netWh: slots, signed: gatewayWindowSchema }).optional(),
  end: z
    .object({ gateway: bytes32, untilSlot: slotNumber, importMicroWh: count, exportMicroWh: count })
    .optional(),
  proof: z
    .object({ account: address, firstSlot: slotNumber, netWh: slots, evidence: meterProofSchema })
    .optional(),
  receipt: receiptSchema.optional(),
  leaf: keptLeafSchema.optional(),
});

/**
 * A memory in a file of lines, each `{"window": …}`, `{"end": …}`, `{"proof": …}`, `{"receipt": …}` or `{"leaf": …}`.
 * @throws SyntaxError on a broken line, RangeError that names file, line and field on one that holds something else
 */
export function fileMemory(file: string): AgentMemory {
  const memory = volatileMemory();
  const lines = openLines(file);
  for (const [index, line] of lines.values.entries()) {
    const decoded = lineSchema.safeParse(line);
    if (!decoded.success) {
      const { path, message } = decoded.error.issues[0] as z.core.$ZodIssue;
      throw new RangeError(`${file}, line ${index + 1}, ${path.join(".") || "value"}: ${message}`);
    }
    const { window, end, proof, receipt, leaf } = decoded.data;
    if (window !== undefined)
      memory.ofGateway(gatewayIdOf(pointOf(window.signed.gateway))).rememberWindow(window);
    if (end !== undefined) memory.ofGateway(end.gateway).rememberEnd(end);
    if (proof !== undefined) memory.rememberProof(proof);
    if (receipt !== undefined) memory.rememberReceipt(receipt);
    if (leaf !== undefined) memory.rememberLeaf(leafOf(leaf, `${file}, line ${index + 1}`));
  }
  return {
    ...memory,
    ofGateway(gateway) {
      const kept = memory.ofGateway(gateway);
      return {
        ...kept,
        rememberWindow(window) {
          lines.append({ window }, true);
          kept.rememberWindow(window);
        },
        rememberEnd(end) {
          lines.append({ end: { gateway, ...end } }, true);
          kept.rememberEnd(end);
        },
      };
    },
    rememberProof(proof) {
      lines.append({ proof }, true);
      memory.rememberProof(proof);
    },
    rememberReceipt(receipt) {
      lines.append({ receipt }, false);
      memory.rememberReceipt(receipt);
    },
    rememberLeaf(leaf) {
      lines.append({ leaf: textOfLeaf(leaf) }, true);
      memory.rememberLeaf(leaf);
    },
  };
}

/** @throws RangeError that names the line of a leaf whose path leads elsewhere */
function leafOf(written: Parameters<typeof readLeaf>[0], line: string): KeptLeaf {
  try {
    return readLeaf(written);
  } catch (error) {
    throw new RangeError(`${line}, leaf: ${(error as Error).message}`);
  }
}
