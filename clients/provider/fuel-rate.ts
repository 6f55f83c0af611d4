// Owns how much fuel this machine burns in a second, and what that comes to in money. It refuses to guess: it runs a metered program
// in as many threads as would run jobs.

import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { rewriteCommand } from "../../compute/command.ts";
import type { Book } from "../../protocol/answers.ts";
import { JobPool } from "./job-pool.ts";

/**
 * A command that mixes integers through a page of memory for ever:
 * `(loop a = a * 6364136223846793005 + mem[i & 65528]; mem[i & 65528] = a; i += 8)`.
 */
const PROGRAM =
  "AGFzbQEAAAABBAFgAAADAgEABQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAAKOwE5AgF/AX4DQCABQq3+1eTUhf2o2AB+IABB+P8DcSkDAHwhASAAQfj/A3EgATcDACAAQQhqIQAMAAsL";

/** Fuel of one measured run: a tenth of a second or so; and how many are run. The first is compiled while it runs. */
const RUN_FUEL = 400_000_000;
const RUNS = 5;

/** What a machine does. */
export interface FuelRate {
  readonly threads: number;
  /** Megafuel a second of all threads together. */
  readonly megaPerSecond: number;
}

/** Measures this machine for some seconds. @throws Error where it does not finish in a minute */
export async function measureFuelRate(threads: number): Promise<FuelRate> {
  const bytes = rewriteCommand(new Uint8Array(Buffer.from(PROGRAM, "base64"))) as Uint8Array<ArrayBuffer>;
  const module = await WebAssembly.compile(bytes);
  const name = createHash("sha256").update(bytes).digest("hex");
  const job = {
    args: [],
    env: {},
    stdin: new Uint8Array(0),
    limits: { fuel: RUN_FUEL, memoryBytes: 65_536, outputBytes: 0 },
    seed: new Uint8Array(32),
    clockS: 0,
  };
  const pool = new JobPool(threads);
  try {
    const round = () =>
      Promise.all(Array.from({ length: threads }, () => pool.run(name, module, job, 60_000)));
    await round();
    const startedMs = performance.now();
    for (let done = 0; done < RUNS; done += 1) await round();
    const seconds = (performance.now() - startedMs) / 1_000;
    return { threads, megaPerSecond: (RUNS * threads * RUN_FUEL) / 1e6 / seconds };
  } catch (cause) {
    throw new Error(`this machine is too busy, or has too little, for ${threads} runs at a time`, { cause });
  } finally {
    await pool.close();
  }
}

const DAY_SECONDS = 86_400;

/** What a machine would earn in a day of selling all it can at a price. Micros, before fees. */
export function dailyMicros({ megaPerSecond }: FuelRate, priceMicrosPerTera: number): number {
  return Math.floor((megaPerSecond * DAY_SECONDS * priceMicrosPerTera) / 1e6);
}

/** Best price that somebody asks, and that somebody bids, in a book; null where nobody does. */
export function bestOf({ asks, bids }: Pick<Book, "asks" | "bids">) {
  return { ask: asks[0]?.priceMicrosPerTera ?? null, bid: bids[0]?.priceMicrosPerTera ?? null };
}

/** Where modules are kept unless it is said. */
export const DEFAULT_FOLDER = `${tmpdir()}/polder-modules`;
