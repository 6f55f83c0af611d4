// Owns the row `compute-scale`: jobs a second that a region's apps have done with four providers against one, bought, run, reported and
// answered. It refuses a round in which a job did not end well.

import type { Trader } from "../../clients/local/compute-region.ts";
import { assemble } from "../../tools/job-sources.ts";
import { COMPUTE_REGION, MeasuredRegion } from "../compute-region.ts";
import { median } from "../median.ts";
import { compared, type Measurement, type Row } from "../row.ts";

/** On two cores, which the objects and the apps share with the providers. */
const LEAST_RATIO = 1.3;
/** Fuel that each job uses up: about a tenth of a second of a core. */
const FUEL_MEGA = 1_000;
const BUSY = `(module (memory (export "memory") 1)
  (func (export "_start") (local $i i32)
    (loop $again (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $again))))`;

export interface ScaleOptions {
  readonly jobs?: number;
  readonly rounds?: number;
}

export const measure: Measurement = (say) => measureComputeScale(say);

/** Measures the row with other sizes than the usual ones. */
export async function measureComputeScale(
  say: (line: string) => void,
  { jobs = 48, rounds = 3 }: ScaleOptions = {},
): Promise<readonly Row[]> {
  const one = await jobsPerSecond(1, jobs, rounds);
  say(`one provider: ${one.toFixed(1)} jobs/s`);
  const four = await jobsPerSecond(4, jobs, rounds);
  say(`four providers: ${four.toFixed(1)} jobs/s`);
  return [
    compared({
      name: "compute-scale",
      ours: four,
      peer: one,
      unit: "jobs/s",
      higherIsBetter: true,
      limit: `ratio at least ${LEAST_RATIO} on two cores`,
      isWithinLimit: four / one >= LEAST_RATIO,
      note: `jobs of ${FUEL_MEGA} megafuel over HTTP, sixteen at a time, by providers of one thread each in processes of their own; medians of ${rounds} rounds of ${jobs}`,
    }),
  ];
}

async function jobsPerSecond(providers: number, jobs: number, rounds: number): Promise<number> {
  const region = await MeasuredRegion.open();
  try {
    const buyer = await region.trader("buyer", ["buy"]);
    for (let number = 0; number < providers; number += 1)
      await region.node(await region.trader(`seller ${number}`, ["sell"]), "--room", String(16 / providers));
    const { module } = await region.upload(assemble(BUSY), buyer.apiKey);
    const perSecond: number[] = [];
    for (let round = -1; round < rounds; round += 1) {
      const startedMs = performance.now();
      let left = round < 0 ? 2 * providers : jobs;
      const done = left;
      const lane = async () => {
        while (left > 0) {
          left -= 1;
          await runJob(region, buyer, module);
        }
      };
      await Promise.all(Array.from({ length: 16 }, lane));
      // The first round compiles.
      if (round >= 0) perSecond.push((done / (performance.now() - startedMs)) * 1_000);
    }
    return median(perSecond);
  } finally {
    await region.stop();
  }
}

async function runJob(region: MeasuredRegion, buyer: Trader, module: string): Promise<void> {
  const limits = { fuelMega: FUEL_MEGA, memoryBytes: 65_536, outputBytes: 0, wallSeconds: 30 };
  const response = await fetch(`${region.stack.url}/v1/regions/${COMPUTE_REGION}/jobs`, {
    method: "POST",
    headers: { authorization: `Bearer ${buyer.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ module, limits, mostMicros: 1_000, waitSeconds: 30 }),
  });
  const text = await response.text();
  if (response.status !== 200 || !text.includes('"out_of_fuel"'))
    throw new Error(`a job was not done: ${text}`);
}
