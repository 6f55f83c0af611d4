// Owns what a client takes for the logs of a contract: the answer of `eth_getLogs`, decoded. It refuses answers that are none;
// whether they are what was asked for is whoever asked's to judge.

import { z } from "zod";
import type { Hex } from "../../protocol/fields.ts";

/** Blocks asked for at once, as long as the RPC does not refuse. */
export const LOG_SPAN = 100_000;

const hex = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2})*$/)
  .toLowerCase() as unknown as z.ZodType<Hex>;
const number = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,13}$/)
  .transform(Number);

/** The answer to `eth_getLogs`; every contract of ours names its events, so none is without a topic. */
export const chainLogs = z.array(
  z.object({
    address: hex,
    topics: z.array(hex).min(1).max(4),
    data: hex,
    blockNumber: number,
    logIndex: number,
    removed: z.literal(false).optional(),
  }),
);
