// Owns a provider's node that runs nothing: it makes up what came of a job, and signs it. It refuses to be caught by anything but the
// result itself: it connects, sells, commits and reports as an honest one does.

import { type JobResult, resultOf } from "../../compute/host/job.ts";
import type { ApiKey } from "../../evidence/session-signature.ts";
import { marketTimeS } from "../../protocol/clock.ts";
import { NodeConnection } from "../provider/node-connection.ts";
import { NodeKey } from "../provider/node-key.ts";
import { NodeRuns } from "../provider/node-runs.ts";
import { RegionSales } from "../provider/sold-work.ts";
import type { PolderClient } from "../sdk/client.ts";
import { sessionSigner } from "../sdk/signer.ts";

export interface LyingNodeOptions {
  readonly client: PolderClient;
  readonly region: string;
  readonly key: ApiKey;
  readonly priceMicrosPerTera: number;
  readonly quantityMega: number;
  readonly report: (line: string) => void;
}

const ROOM = 16;
/** Market seconds that its ask rests. */
const RESTS_SECONDS = 3_600;
/** What it says it used: what a small job may well use. */
const FUEL = 2_000_000;

/** Made up without a look at the job. */
const madeUp = (): JobResult =>
  resultOf({
    ...({ end: "exited", exitCode: 0, fuelUsed: FUEL, trap: null } as const),
    stdout: new TextEncoder().encode("made up\n"),
    stderr: new Uint8Array(0),
  });

/** Connects such a node and puts its ask into the book. @returns what ends it */
export async function startLyingNode(options: LyingNodeOptions): Promise<() => void> {
  const { client, region, key: apiKey, priceMicrosPerTera, quantityMega, report } = options;
  const { clock, chainId, settlement } = await client.deployment();
  const atS = (): number => marketTimeS(clock, Date.now());
  const key = new NodeKey({ ...apiKey, region, domain: { chainId, settlement }, atS });
  const runs: NodeRuns = new NodeRuns({
    ...{ key, report, room: ROOM, run: async () => madeUp(), changed: () => {} },
    sold: new RegionSales(client, region, apiKey.account),
    send: (frame, parts) => connection.send(frame, parts),
  });
  const { promise: isWelcome, resolve: welcomed, reject } = Promise.withResolvers<void>();
  const connection: NodeConnection = new NodeConnection({
    ...{ url: client.url, key, room: ROOM, holds: () => runs.holds() },
    welcomed: () => {
      runs.sayAll();
      welcomed();
    },
    heard: (frame, parts) => {
      if (frame.type === "run") runs.take(frame, parts);
      else if (frame.type === "reveal") runs.reveal(frame.obligationId);
      else if (frame.type === "over") runs.over(frame.obligationId);
    },
    broken: report,
    ended: (why) => reject(new Error(why)),
  });
  connection.open();
  await isWelcome;
  await client.submit(region, sessionSigner(apiKey.account, apiKey.seed), {
    type: "place_resource_order",
    ...{ product: "compute-job", side: "sell", quantityMega, priceMicrosPerTera },
    timeInForce: "good_till_time",
    goodTillS: atS() + RESTS_SECONDS,
  });
  return () => connection.close();
}
