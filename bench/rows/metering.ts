// Owns the row `metering`: what counting costs a job that only computes, rewritten against the same module as it stands, in
// Node. It refuses programs whose two runs do not write the same.

import { rewriteCommand } from "../../compute/command.ts";
import type { Job } from "../../compute/host/job.ts";
import { runJob } from "../../compute/run-job.ts";
import { assemble, compileAssemblyScript, compileC, hasClang } from "../../tools/job-sources.ts";
import {
  CHECKSUM_WAT,
  INFERENCE_C,
  picture,
  STATISTICS_ASSEMBLYSCRIPT,
  THUMBNAIL_C,
} from "../job-programs.ts";
import { median } from "../median.ts";
import { compared, type Measurement, type Row } from "../row.ts";
import { runUnmetered } from "../unmetered-job.ts";

const ROUNDS = 9;
const MOST_RATIO = 1.3;

/** How large the programs' work is; a test measures small ones. */
export interface MeteringSizes {
  readonly pictureSide: number;
  readonly inferences: number;
  readonly readings: number;
  readonly checksumSide: number;
  readonly rounds: number;
  /** Runs of each in a round. */
  readonly runs: number;
}

const SIZES: MeteringSizes = {
  pictureSide: 2_000,
  inferences: 1_500,
  readings: 300_000,
  checksumSide: 100,
  rounds: ROUNDS,
  runs: 6,
};

interface Program {
  readonly name: string;
  readonly source: Uint8Array;
  readonly job: Job;
}

function jobOf(stdin: Uint8Array, ...args: string[]): Job {
  const limits = { fuel: 1e12, memoryBytes: 128 * 2 ** 20, outputBytes: 2 ** 20 };
  return { args, env: {}, stdin, limits, seed: new Uint8Array(32), clockS: 1_800_000_000 };
}

async function programs(sizes: MeteringSizes): Promise<Program[]> {
  const readings = Uint16Array.from({ length: sizes.readings }, (_, index) => (index * 7_919) % 40_009);
  const statistics = await compileAssemblyScript(STATISTICS_ASSEMBLYSCRIPT);
  const photograph = picture(sizes.pictureSide);
  const inferences = String(sizes.inferences);
  const fromC = (): Program[] => [
    { name: "thumbnail (C)", source: compileC(THUMBNAIL_C), job: jobOf(photograph, "128") },
    { name: "inference (C)", source: compileC(INFERENCE_C), job: jobOf(photograph, inferences) },
    {
      name: "inference (C, vectors)",
      source: compileC(INFERENCE_C, "-msimd128", "-ffast-math"),
      job: jobOf(photograph, inferences),
    },
  ];
  return [
    ...(hasClang() ? fromC() : []),
    { name: "statistics (AssemblyScript)", source: statistics, job: jobOf(new Uint8Array(readings.buffer)) },
    { name: "checksum (text)", source: assemble(CHECKSUM_WAT), job: jobOf(picture(sizes.checksumSide)) },
  ];
}

interface Measured {
  readonly name: string;
  readonly ours: number;
  readonly peer: number;
  readonly megafuel: number;
}

/** Time that this process computed: others on the machine do not count. */
const processorSeconds = (): number => process.cpuUsage().user / 1e6;

/** Seconds of one of several runs: a single one is too short for the processor's clock. */
function timed(runs: number, run: () => void): number {
  const started = processorSeconds();
  for (let done = 0; done < runs; done += 1) run();
  return (processorSeconds() - started) / runs;
}

function measureProgram({ name, source, job }: Program, { rounds, runs }: MeteringSizes): Measured {
  const metered = new WebAssembly.Module(rewriteCommand(source));
  const plain = new WebAssembly.Module(source);
  const { end, fuelUsed, stdout } = runJob(metered, job);
  if (end !== "exited" || !Buffer.from(stdout).equals(runUnmetered(plain, job).stdout))
    throw new Error(`${name}: ended by ${end}, or the two runs differ`);
  const ours: number[] = [];
  const peer: number[] = [];
  for (let round = -1; round < rounds; round += 1) {
    const oursSeconds = timed(runs, () => runJob(metered, job));
    const peerSeconds = timed(runs, () => runUnmetered(plain, job));
    // The first round is compiled while it runs.
    if (round < 0) continue;
    ours.push(oursSeconds);
    peer.push(peerSeconds);
  }
  return { name, ours: median(ours), peer: median(peer), megafuel: fuelUsed / 1e6 };
}

/** Measures the row with the sizes given. */
export async function measureMetering(
  say: (line: string) => void,
  sizes: MeteringSizes = SIZES,
): Promise<readonly Row[]> {
  const measured = (await programs(sizes)).map((program) => measureProgram(program, sizes));
  const words = measured.map(
    ({ name, ours, peer, megafuel }) =>
      `${name} ${megafuel.toFixed(0)} megafuel ${ours.toFixed(3)} s, plain ${peer.toFixed(3)} s, ratio ${(ours / peer).toFixed(2)}`,
  );
  for (const line of words) say(line);
  const ours = measured.reduce((sum, program) => sum + program.ours, 0);
  const peer = measured.reduce((sum, program) => sum + program.peer, 0);
  const row = compared({
    name: "metering",
    ours,
    peer,
    unit: "s of processor",
    higherIsBetter: false,
    limit: `ratio at most ${MOST_RATIO}`,
    isWithinLimit: ours / peer <= MOST_RATIO,
    note: `one run of each, rewritten against the same module as it stands, with the same system behind both; medians of ${sizes.rounds} alternating rounds of ${sizes.runs} on Node: ${words.join("; ")}`,
  });
  return [row];
}

export const measure: Measurement = (say) => measureMetering(say);
