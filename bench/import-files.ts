// Owns meter files made for measuring: valid, of any size, and different from line to line. It refuses to be random: the
// same size is the same file.

import { once } from "node:events";
import { createWriteStream } from "node:fs";

/** Formats that are measured. */
export type MeasuredFormat = "nem12" | "greenbutton" | "csv";

const FIRST_S = Date.UTC(1990, 0, 1) / 1000;
const DAY_SECONDS = 86_400;
const DAYS_PER_METER = 1_000;

/** Writes a file of at least `bytes` bytes. @returns the intervals in it */
export async function writeMeterFile(path: string, format: MeasuredFormat, bytes: number): Promise<number> {
  const file = createWriteStream(path);
  const piece = PIECES[format];
  let written = 0;
  let intervals = 0;
  const put = async (text: string): Promise<void> => {
    written += text.length;
    if (!file.write(text)) await once(file, "drain");
  };
  await put(HEADS[format]);
  for (let day = 0; written < bytes; day += 1) {
    const { text, count } = piece(day);
    intervals += count;
    await put(text);
  }
  await put(TAILS[format]);
  file.end();
  await once(file, "finish");
  return intervals;
}

const HEADS: Readonly<Record<MeasuredFormat, string>> = {
  nem12: "100,NEM12,202401010000,MDA1,Ret1\n",
  greenbutton:
    '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n' +
    '<entry><link rel="self" href="/UsagePoint/1/MeterReading/1"/><link rel="related" href="/ReadingType/1"/>' +
    '<content><MeterReading xmlns="http://naesb.org/espi"/></content></entry>\n' +
    '<entry><link rel="self" href="/ReadingType/1"/><content><ReadingType xmlns="http://naesb.org/espi">' +
    "<accumulationBehaviour>4</accumulationBehaviour><flowDirection>1</flowDirection><intervalLength>900</intervalLength>" +
    "<powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom></ReadingType></content></entry>\n",
  csv: "time;import;export\n",
};
const TAILS: Readonly<Record<MeasuredFormat, string>> = { nem12: "900\n", greenbutton: "</feed>\n", csv: "" };

/** A day's piece of each format, by the number of the day. */
const PIECES: Readonly<Record<MeasuredFormat, (day: number) => { text: string; count: number }>> = {
  nem12(day) {
    const head =
      day % DAYS_PER_METER === 0 ? `200,N${day / DAYS_PER_METER},E1,1,E1,N1,M1,kWh,5,20240101\n` : "";
    const date = new Date((FIRST_S + (day % DAYS_PER_METER) * DAY_SECONDS) * 1000);
    const values = Array.from({ length: 288 }, (_, i) => energyOf(day, i)).join(",");
    const text = `${head}300,${date.toISOString().slice(0, 10).replaceAll("-", "")},${values},A,,,20240101000000,\n`;
    return { text, count: 288 };
  },
  greenbutton(day) {
    const firstS = FIRST_S + day * DAY_SECONDS;
    const readings = Array.from(
      { length: 96 },
      (_, i) =>
        `<IntervalReading><cost>${i}</cost><timePeriod><duration>900</duration><start>${firstS + i * 900}</start>` +
        `</timePeriod><value>${(day * 31 + i * 17) % 900}</value></IntervalReading>\n`,
    ).join("");
    const text =
      `<entry><link rel="self" href="/UsagePoint/1/MeterReading/1/IntervalBlock/${day}"/>` +
      `<content><IntervalBlock xmlns="http://naesb.org/espi">${readings}</IntervalBlock></content></entry>\n`;
    return { text, count: 96 };
  },
  csv(day) {
    const date = new Date((FIRST_S + day * DAY_SECONDS) * 1000).toISOString().slice(0, 10);
    const text = Array.from({ length: 288 }, (_, i) => {
      const minute = i * 5;
      const time = `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
      return `${date} ${time};${energyOf(day, i)};${energyOf(i, day)}\n`;
    }).join("");
    return { text, count: 576 };
  },
};

function energyOf(a: number, b: number): string {
  return (((a * 7919 + b * 104_729) % 900) / 1_000).toFixed(3);
}
