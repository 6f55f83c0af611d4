// Owns what an agent must not forget: every window it signed, where it ended, and every receipt it was given. It refuses to forget;
// lines are only ever added, and written to disk before anything is sent.

import { z } from "zod";
import { type GatewayWindow, gatewayWindowSchema } from "../../evidence/gateway-window.ts";
import { type Receipt, receiptSchema } from "../../evidence/receipt.ts";
import { count, readingWh, slotNumber } from "../../protocol/fields.ts";
import { openLines } from "./line-file.ts";
import type { Registers } from "./meter-source.ts";

/** A window as it was signed: it is never signed differently. */
export interface SignedWindow {
  readonly firstSlot: number;
  readonly netWh: readonly number[];
  readonly evidence: GatewayWindow;
}

/** The meter's registers where a window ended. */
export interface WindowEnd extends Registers {
  /** The first slot after the window. */
  readonly untilSlot: number;
}

/** What an agent remembers. */
export interface AgentMemory {
  signedWindow(firstSlot: number): SignedWindow | undefined;
  /** The last end of a window that was over when `firstSlot` began. */
  endBefore(firstSlot: number): WindowEnd | undefined;
  rememberEnd(end: WindowEnd): void;
  rememberWindow(window: SignedWindow): void;
  receipts(): readonly Receipt[];
  rememberReceipt(receipt: Receipt): void;
}

/** A memory that ends with the process. */
export function volatileMemory(): AgentMemory {
  const windows = new Map<number, SignedWindow>();
  const receipts: Receipt[] = [];
  const ends: WindowEnd[] = [];
  return {
    signedWindow: (firstSlot) => windows.get(firstSlot),
    endBefore: (firstSlot) => ends.findLast(({ untilSlot }) => untilSlot <= firstSlot),
    rememberEnd: (end) => void ends.push(end),
    rememberWindow: (window) => void windows.set(window.firstSlot, window),
    receipts: () => receipts,
    rememberReceipt: (receipt) => void receipts.push(receipt),
  };
}

/** A line of the file; fields of a release that remembers more are left alone. */
const lineSchema = z.object({
  window: z
    .object({
      firstSlot: slotNumber,
      netWh: z.array(readingWh).min(4).max(96),
      evidence: gatewayWindowSchema,
    })
    .optional(),
  end: z.object({ untilSlot: slotNumber, importMicroWh: count, exportMicroWh: count }).optional(),
  receipt: receiptSchema.optional(),
});

/**
 * A memory in a file of lines, each `{"window": …}`, `{"end": …}` or `{"receipt": …}`.
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
    const { window, end, receipt } = decoded.data;
    if (window !== undefined) memory.rememberWindow(window);
    if (end !== undefined) memory.rememberEnd(end);
    if (receipt !== undefined) memory.rememberReceipt(receipt);
  }
  return {
    ...memory,
    rememberWindow(window) {
      lines.append({ window }, true);
      memory.rememberWindow(window);
    },
    rememberEnd(end) {
      lines.append({ end }, true);
      memory.rememberEnd(end);
    },
    rememberReceipt(receipt) {
      lines.append({ receipt }, false);
      memory.rememberReceipt(receipt);
    },
  };
}
