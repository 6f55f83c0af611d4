// Owns what an agent must not forget: every window it signed and every receipt it was given. It refuses to forget;
// lines are only ever added, and written to disk before anything is sent.

import { existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { GatewayWindow } from "../../evidence/gateway-window.ts";
import type { Receipt } from "../../evidence/receipt.ts";

/** A window as it was signed: it is never signed differently. */
export interface SignedWindow {
  readonly firstSlot: number;
  readonly netWh: readonly number[];
  readonly evidence: GatewayWindow;
}

/** What an agent remembers. */
export interface AgentMemory {
  signedWindow(firstSlot: number): SignedWindow | undefined;
  rememberWindow(window: SignedWindow): void;
  receipts(): readonly Receipt[];
  rememberReceipt(receipt: Receipt): void;
}

/** A memory that ends with the process. */
export function volatileMemory(): AgentMemory {
  const windows = new Map<number, SignedWindow>();
  const receipts: Receipt[] = [];
  return {
    signedWindow: (firstSlot) => windows.get(firstSlot),
    rememberWindow: (window) => void windows.set(window.firstSlot, window),
    receipts: () => receipts,
    rememberReceipt: (receipt) => void receipts.push(receipt),
  };
}

/** A memory in a file of lines, each `{"window": …}` or `{"receipt": …}`. @throws SyntaxError on a broken line */
export function fileMemory(file: string): AgentMemory {
  const memory = volatileMemory();
  let tornAt: number | null = null;
  if (existsSync(file)) {
    const bytes = readFileSync(file);
    const end = bytes.lastIndexOf("\n") + 1;
    if (end < bytes.length) tornAt = end;
    for (const line of wholeLines(bytes.toString("utf8"))) {
      const { window, receipt } = JSON.parse(line) as { window?: SignedWindow; receipt?: Receipt };
      if (window !== undefined) memory.rememberWindow(window);
      if (receipt !== undefined) memory.rememberReceipt(receipt);
    }
  }
  mkdirSync(dirname(file), { recursive: true });
  // Open for as long as the agent lives; the process closes it.
  const descriptor = openSync(file, "a", 0o600);
  const append = (line: object, mustLast: boolean): void => {
    // Only a writer cuts off half a line, or the next one would be glued to it; a mere reader changes nothing.
    if (tornAt !== null) ftruncateSync(descriptor, tornAt);
    tornAt = null;
    writeSync(descriptor, `${JSON.stringify(line)}\n`);
    if (mustLast) fsyncSync(descriptor);
  };
  return {
    ...memory,
    rememberWindow(window) {
      append({ window }, true);
      memory.rememberWindow(window);
    },
    rememberReceipt(receipt) {
      append({ receipt }, false);
      memory.rememberReceipt(receipt);
    },
  };
}

/** Lines of a text; what a kill cut off in the middle of the last one is left out. */
function wholeLines(text: string): string[] {
  const lines = text.split("\n");
  lines.pop();
  return lines.filter((line) => line !== "");
}
