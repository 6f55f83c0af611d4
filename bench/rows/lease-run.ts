// Owns the row `lease-run`: warm runs of a job that does nothing, a second, over one lease from the SDK through the provider's object to
// its node and back, against a bare WebSocket echo through an object to a process. It refuses a run that does not end well.

import { startStack } from "../../clients/local/stack.ts";
import { Lease } from "../../clients/sdk/lease.ts";
import { assemble } from "../../tools/job-sources.ts";
import { COMPUTE_REGION, MeasuredRegion } from "../compute-region.ts";
import { median, percentile } from "../median.ts";
import { compared, type Measurement, type Row } from "../row.ts";
import { SecondProcess } from "../second-process.ts";

const LEAST_RATIO = 0.5;
const NOTHING = `(module (memory (export "memory") 1) (func (export "_start")))`;
const LIMITS = { fuelMega: 1, memoryBytes: 65_536, outputBytes: 0, wallSeconds: 5 };

export interface LeaseRunOptions {
  readonly runs?: number;
  readonly rounds?: number;
  /** Runs under way at once. */
  readonly flying?: number;
}

/** One thing done: a run, or an echo. */
type Act = () => Promise<unknown>;

interface Round {
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
}

export const measure: Measurement = (say) => measureLeaseRun(say);

/** Measures the row with other sizes than the usual ones. */
export async function measureLeaseRun(
  say: (line: string) => void,
  { runs = 10_000, rounds = 5, flying = 256 }: LeaseRunOptions = {},
): Promise<readonly Row[]> {
  const region = await MeasuredRegion.open();
  const echo = await Echo.open();
  try {
    const lease = await leaseOf(region);
    const run = await warmRun(region, lease);
    const sides: [Act, Round[]][] = [
      [run, []],
      [() => echo.exchange(), []],
    ];
    const single: [Act, Round[]][] = sides.map(([act]) => [act, []]);
    for (let round = -1; round < rounds; round += 1) {
      for (const [act, kept] of sides) keep(kept, round, await roundOf(act, runs, flying));
      for (const [act, kept] of single) keep(kept, round, await roundOf(act, Math.ceil(runs / 20), 1));
    }
    lease.close();
    const [ours, peer] = sides.map(([, kept]) => median(kept.map(({ perSecond }) => perSecond)));
    const [oursOne, peerOne] = single.map(([, kept]) => kept.flatMap(({ latenciesMs }) => latenciesMs));
    const row = rowOf(ours as number, peer as number, oursOne as number[], peerOne as number[], flying);
    say(row.note ?? "");
    return [row];
  } finally {
    await echo.close();
    await region.stop();
  }
}

/** The first round warms up. */
function keep(kept: Round[], round: number, measured: Round): void {
  if (round >= 0) kept.push(measured);
}

async function leaseOf(region: MeasuredRegion): Promise<Lease> {
  const [buyer, seller] = [await region.trader("buyer", ["buy"]), await region.trader("seller", ["sell"])];
  await region.node(seller, "--lease", "compute-lease-hour", "--offer", "100000000");
  const { module } = await region.upload(assemble(NOTHING), buyer.apiKey);
  const obligationId = await untilSold(region, buyer);
  const options = { region: COMPUTE_REGION, provider: seller.account, obligationId, seed: buyer.seed };
  const lease = await Lease.open(region.client, options);
  modules.set(lease, module);
  return lease;
}

const modules = new WeakMap<Lease, `0x${string}`>();

/** The node posts its asks one after the other. */
async function untilSold(
  region: MeasuredRegion,
  buyer: Parameters<MeasuredRegion["lease"]>[0],
): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await region.lease(buyer, 10_000_000);
    } catch (error) {
      if (tries > 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function warmRun(_region: MeasuredRegion, lease: Lease): Promise<Act> {
  const module = modules.get(lease) as `0x${string}`;
  const run = async () => {
    const { end } = await lease.run({ module, limits: LIMITS });
    if (end !== "exited") throw new Error(`a run ended by ${end}`);
  };
  await run();
  return run;
}

async function roundOf(act: Act, runs: number, flying: number): Promise<Round> {
  const latenciesMs: number[] = [];
  let left = runs;
  const startedMs = performance.now();
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      const sentMs = performance.now();
      await act();
      latenciesMs.push(performance.now() - sentMs);
    }
  };
  await Promise.all(Array.from({ length: flying }, lane));
  return { perSecond: (runs / (performance.now() - startedMs)) * 1_000, latenciesMs };
}

function rowOf(ours: number, peer: number, oursOne: number[], peerOne: number[], flying: number): Row {
  const words = (sample: number[]) =>
    `p50 ${median(sample).toFixed(2)} ms, p99 ${percentile(sample, 0.99).toFixed(2)} ms`;
  return compared({
    name: "lease-run",
    ours,
    peer,
    unit: "runs/s",
    higherIsBetter: true,
    limit: `ratio at least ${LEAST_RATIO}`,
    isWithinLimit: ours / peer >= LEAST_RATIO,
    note: `${flying} under way at once; one at a time a run takes ${words(oursOne)}, an echo of as many bytes ${words(peerOne)}; runs of one turn share a message, each echo is one of its own`,
  });
}

/** A caller's end of the peer: messages as long as a run's. */
class Echo {
  readonly #socket: WebSocket;
  readonly #stack: { stop(): Promise<void> };
  readonly #process: SecondProcess<string, object>;
  readonly #waiting = new Map<string, () => void>();
  #last = 0;

  private constructor(
    socket: WebSocket,
    stack: { stop(): Promise<void> },
    child: SecondProcess<string, object>,
  ) {
    this.#socket = socket;
    this.#stack = stack;
    this.#process = child;
    socket.onmessage = ({ data }) => {
      const id = String(data).slice(0, 12);
      this.#waiting.get(id)?.();
      this.#waiting.delete(id);
    };
  }

  static async open(): Promise<Echo> {
    const stack = await startStack({ entryFile: "bench/echo-worker.js", logger: () => {} });
    const url = `${stack.url.replace(/^http/, "ws")}/v1`;
    const child = new SecondProcess<string, object>("echo-process");
    await child.ask(`${url}/process`);
    const socket = new WebSocket(`${url}/caller`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new Echo(socket, stack, child);
  }

  exchange(): Promise<void> {
    this.#last += 1;
    const id = String(this.#last).padStart(12, "0");
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(id + FILLING);
    });
  }

  async close(): Promise<void> {
    this.#socket.close();
    this.#process.stop();
    await this.#stack.stop();
  }
}

/** With the number in front it is as long as the records of a run and its result, on average. */
const FILLING = "x".repeat(14);
