// Owns the promises of what is kept from one build to the next: the same files give the same without making it, and another file,
// key or package, or a kept one that nobody can read, has it made again.

import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { kept, keptBundle, keptFile } from "../../tools/kept.ts";

const ROOT = dirname(dirname(import.meta.dirname));
const NAME = "kept-under-test";

let folder: string;
let made = 0;
/** Another one for each test. */
let key: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polder-kept-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  const keptHere = dirname(keptFile(NAME, ""));
  for (const name of readdirSync(keptHere)) if (name.startsWith(NAME)) rmSync(join(keptHere, name));
});
beforeEach(() => {
  made = 0;
  key = `${folder}/${Math.random()}`;
});

const source = (name: string): string => relative(ROOT, join(folder, name));

/** Writes a source that nobody has touched for a minute. */
function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
  const before = Date.now() / 1000 - 60;
  utimesSync(join(folder, name), before, before);
}

/** What is kept of some sources: how often it was made, the first time included. */
const value = (sources: string[], meanwhile = () => {}): Promise<number> =>
  kept(NAME, key, async () => {
    made += 1;
    meanwhile();
    return { value: made, sources };
  });

describe("what was made of files", () => {
  test("behavior: is not made again while they are the same, and is after one has changed", async () => {
    write("a", "1");
    write("b", "1");
    const both = [source("a"), source("b")];
    expect([await value(both), await value(both)]).toEqual([1, 1]);
    write("b", "2");
    expect([await value(both), await value(both)]).toEqual([2, 2]);
    rmSync(join(folder, "a"));
    expect(await value(both)).toBe(3);
  });

  test("behavior: is made again when a file appears that was not there", async () => {
    rmSync(join(folder, "late"), { force: true });
    expect([await value([source("late")]), await value([source("late")])]).toEqual([1, 1]);
    write("late", "");
    expect(await value([source("late")])).toBe(2);
  });

  test("rejects: to be kept where one changed while it was made", async () => {
    write("c", "1");
    await value([source("c")], () => writeFileSync(join(folder, "c"), "2"));
    expect(await value([source("c")])).toBe(2);
  });

  test("rejects: what another key, or nobody who can be read, has kept", async () => {
    write("d", "1");
    await value([source("d")]);
    writeFileSync(keptFile(NAME, key), '{"value":1,');
    expect(await value([source("d")])).toBe(2);
    const another = kept(NAME, `${key}/another`, async () => ({ value: 0, sources: [] }));
    expect(await another).toBe(0);
  });
});

test("behavior: a bundle is esbuild's, and that of the changed file after a change", async () => {
  write("part.ts", "export const part: number = 1;");
  write("entry.ts", 'import { part } from "./part.ts"; console.log("whole", part);');
  const options = {
    entryPoints: [join(folder, "entry.ts")],
    outdir: folder,
    bundle: true,
    format: "esm",
  } as const;
  const text = async (): Promise<string> => {
    const { files, inputs } = await keptBundle(
      NAME,
      { ...options, entryPoints: [...options.entryPoints] },
      import.meta.filename,
    );
    expect(inputs).toEqual([source("part.ts"), source("entry.ts")]);
    expect(files.map(({ path }) => path)).toEqual([join(folder, "entry.js")]);
    return files[0]?.text ?? "";
  };
  const first = await text();
  expect(first).toContain("part = 1");
  expect(await text()).toBe(first);
  write("part.ts", "export const part: number = 2;");
  expect(await text()).toContain("part = 2");
});
