// Owns the row `feed`: 500 events a second to 100 listeners, none behind. It refuses a run in which a command was
// refused, an entry never came, a listener saw a gap or was closed.

import { startStack } from "../../clients/local/stack.ts";
import type { FeedOrder, FeedReport } from "../feed-listeners.ts";
import { membersOf, OPERATOR_ADDRESS } from "../fleet.ts";
import { median, percentile } from "../median.ts";
import { limited, type Measurement, type Row } from "../row.ts";
import { LoadProcess, SecondProcess } from "../second-process.ts";
import { REGION, roundOf, settle } from "./durable.ts";

const LIMIT_MS = 250;

export interface FeedOptions {
  readonly listeners?: number;
  readonly perSecond?: number;
  readonly seconds?: number;
}

/** Measures the row. */
export const measure: Measurement = (say) => measureFeed(say);

/** Measures the row with other sizes than the usual ones. */
export async function measureFeed(say: (line: string) => void, options: FeedOptions = {}): Promise<Row[]> {
  const { listeners = 100, perSecond = 500, seconds = 20 } = options;
  const stack = await startStack({ vars: { OPERATOR: OPERATOR_ADDRESS } });
  const load = new LoadProcess();
  const crowd = new SecondProcess<FeedOrder, FeedReport>("feed-listeners");
  try {
    const commands = perSecond * seconds;
    const perMember = Math.min(20, commands);
    const members = membersOf(Math.ceil(commands / perMember));
    await settle(load, stack, members);
    const requests = roundOf(members, perMember, new Array<number>(members.length * perMember).fill(0)).slice(
      0,
      commands,
    );
    say(`${perSecond} orders a second to ${listeners} listeners for ${seconds} s`);
    const path = `/v1/regions/${REGION}/feed`;
    const report = await crowd.ask({
      port: stack.port,
      path,
      listeners,
      connections: 32,
      perSecond,
      requests,
    });
    const row = rowOf(report, listeners);
    say(row.note ?? "");
    return [row];
  } finally {
    load.stop();
    crowd.stop();
    await stack.stop();
  }
}

function rowOf(report: FeedReport, listeners: number): Row {
  const { accepted, refused, seconds, gaps, closed, missing, latenciesMs, frames } = report;
  const behind = missing.filter((entries) => entries > 0).length;
  const closures = Object.values(closed).reduce((sum, count) => sum + count, 0);
  const worst = percentile(latenciesMs, 0.99);
  return limited({
    name: "feed",
    ours: worst,
    unit: "ms",
    higherIsBetter: false,
    limit: `p99 from answer to frame at most ${LIMIT_MS} ms, no gap, nobody closed or behind`,
    isWithinLimit: worst <= LIMIT_MS && refused + gaps + closures + behind === 0,
    note: `${(accepted / seconds).toFixed(0)} events/s to ${listeners} listeners for ${seconds.toFixed(0)} s: ${gaps} gaps, ${closures} closed, ${behind} behind, ${refused} refused, median ${median(latenciesMs).toFixed(0)} ms, ${(frames / listeners / seconds).toFixed(0)} frames/s each`,
  });
}
