// Owns the row `import: p1`: how fast recorded P1 telegrams become intervals. It refuses telegrams that would be dropped:
// what is not read is fast.

import { ChannelBook } from "../../clients/meter/interval.ts";
import { p1Intervals } from "../../clients/meter/p1-recording.ts";
import { p1Checksum } from "../../clients/meter/p1-telegram.ts";
import { median } from "../median.ts";
import { limited, type Measurement } from "../row.ts";

const TELEGRAMS = 20_000;
const ROUNDS = 5;
const CHUNK_BYTES = 65_536;
/** A day of a meter that speaks every second is some 70 MB: it is read in a few seconds. */
const LEAST_MB_PER_S = 15;

/** A made-up DSMR 5 telegram of a second on a winter's day, as long as a three-phase meter's. */
function telegram(second: number): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const time = [3600, 60, 1].map((unit) => two(Math.floor(second / unit) % (unit === 3600 ? 24 : 60)));
  const phases = [32, 52, 72].map((phase) => `1-0:${phase}.7.0(230.${second % 10}*V)`);
  const powers = [21, 41, 61, 22, 42, 62].map(
    (power) => `1-0:${power}.7.0(00.${String(second % 1000).padStart(3, "0")}*kW)`,
  );
  const lines = [
    "/MAD5\\UP-METER-1",
    "",
    "1-3:0.2.8(50)",
    `0-0:1.0.0(260115${time.join("")}W)`,
    "0-0:96.1.1(4D4144452D5550)",
    `1-0:1.8.1(${(1_000 + second / 1_000).toFixed(3).padStart(10, "0")}*kWh)`,
    "1-0:1.8.2(000123.456*kWh)",
    `1-0:2.8.1(${(500 + second / 2_000).toFixed(3).padStart(10, "0")}*kWh)`,
    "1-0:2.8.2(000000.000*kWh)",
    "0-0:96.14.0(0001)",
    "1-0:99.97.0(1)(0-0:96.7.19)(250417201458S)(0000000236*s)",
    "0-0:96.13.0()",
    ...phases,
    ...powers,
    "0-1:24.1.0(003)",
    "0-1:24.2.1(260115000000W)(00123.456*m3)",
  ];
  const body = `${lines.join("\r\n")}\r\n!`;
  return `${body}${p1Checksum(body).toString(16).toUpperCase().padStart(4, "0")}\r\n`;
}

/** Measures the row. */
export const measure: Measurement = async (say) => {
  const bytes = Buffer.from(
    Array.from({ length: TELEGRAMS }, (_, second) => telegram(second)).join(""),
    "latin1",
  );
  const member = {
    name: "telegrams",
    async *open() {
      for (let from = 0; from < bytes.length; from += CHUNK_BYTES)
        yield bytes.subarray(from, from + CHUNK_BYTES);
    },
  };
  const rates: number[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    const started = performance.now();
    let intervals = 0;
    for await (const batch of p1Intervals(member, new ChannelBook())) intervals += batch.intervals.length;
    if (intervals !== 2 * (TELEGRAMS - 1)) throw new Error(`${intervals} intervals`);
    if (round >= 0) rates.push(bytes.length / 1e3 / (performance.now() - started));
  }
  const ours = median(rates);
  say(`${ours.toFixed(1)} MB/s`);
  return [
    limited({
      name: "import: p1",
      ours,
      unit: "MB/s",
      higherIsBetter: true,
      limit: `≥ ${LEAST_MB_PER_S}`,
      isWithinLimit: ours >= LEAST_MB_PER_S,
      note: `${TELEGRAMS} telegrams of ${Math.round(bytes.length / TELEGRAMS)} bytes, checksums checked, to intervals of both registers; median of ${ROUNDS} rounds on Node`,
    }),
  ];
};
