// Owns what a gateway may sign, done in software: each window once, complete, by a clock that is right, and from where
// the last one ended. It refuses the rest with a reason. (Keys in software are for local chains; installed gateways keep
// to the same rules behind their seal.)

import { signWindow } from "../../evidence/gateway-window.ts";
import type { Hex } from "../../protocol/fields.ts";
import { slotStartS } from "../../protocol/units.ts";
import type { GatewayMemory, SignedWindow } from "./agent-memory.ts";
import type { MeterSource, Registers } from "./meter-source.ts";

/** A meter's clock may be off by this much; seconds of wall time, as is the delay of a telegram. */
export const MOST_CLOCK_ERROR_S = 10;

/** What is to be signed, and for whom. */
export interface WindowToSign {
  readonly chainId: number;
  readonly settlement: Hex;
  readonly regionId: string;
  readonly firstSlot: number;
  readonly windowSlots: 4 | 96;
  /** Market seconds per second of wall time. */
  readonly clockRate: number;
}

/** A signed window, or why it is not signed. `mayHeal`: the reason can go away before the time for evidence does. */
export type Signing =
  | { readonly ok: true; readonly window: SignedWindow }
  | { readonly ok: false; readonly reason: string; readonly mayHeal: boolean };

/**
 * Signs a window, once. A slot that the meter does not know is zero, and nothing is claimed for it.
 * @param seed the gateway's secret
 * @param memory of that gateway
 */
export function signOnce(seed: Hex, meter: MeterSource, memory: GatewayMemory, wish: WindowToSign): Signing {
  const { chainId, settlement, regionId, firstSlot, windowSlots, clockRate } = wish;
  const before = memory.signedWindow(firstSlot);
  if (before !== undefined) return { ok: true, window: before };
  const aheadS = (meter.clockAheadS?.() ?? 0) / clockRate;
  if (Math.abs(aheadS) > MOST_CLOCK_ERROR_S) {
    const seconds = Math.round(Math.abs(aheadS));
    const reason = `the meter's clock is ${seconds} s ${aheadS > 0 ? "ahead of" : "behind"} this machine's`;
    return { ok: false, reason, mayHeal: true };
  }
  const { start, end } = edgesOf(meter, firstSlot, windowSlots);
  const last = memory.endBefore(firstSlot);
  // Kept also of a window that is refused: a meter that was exchanged costs a window and not its gateway.
  if (end !== null) memory.rememberEnd({ untilSlot: firstSlot + windowSlots, ...end });
  if (start !== null && last !== undefined && isBelow(start, last)) {
    const ended = new Date(slotStartS(last.untilSlot) * 1000).toISOString();
    const reason = `its registers begin below those with which the window until ${ended} ended`;
    return { ok: false, reason, mayHeal: false };
  }
  const netWh = Array.from({ length: windowSlots }, (_, index) => meter.read(firstSlot + index)?.netWh ?? 0);
  const signed = signWindow(seed, { chainId, settlement, regionId, windowSlots }, firstSlot, netWh);
  const window = { firstSlot, netWh, signed };
  memory.rememberWindow(window);
  return { ok: true, window };
}

/** The first and the last state of the registers that was seen at a boundary of the window. */
function edgesOf(
  meter: MeterSource,
  firstSlot: number,
  windowSlots: number,
): { readonly start: Registers | null; readonly end: Registers | null } {
  let start: Registers | null = null;
  let end: Registers | null = null;
  for (let slot = firstSlot; slot <= firstSlot + windowSlots; slot += 1) {
    const registers = meter.registersAt?.(slot) ?? null;
    start ??= registers;
    end = registers ?? end;
  }
  return { start, end };
}

function isBelow(start: Registers, last: Registers): boolean {
  return start.importMicroWh < last.importMicroWh || start.exportMicroWh < last.exportMicroWh;
}
