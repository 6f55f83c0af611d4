// Owns modules as the SDK and the command line handle them, on a real local deployment. It refuses a module that has other bytes
// than its name says.

import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { describeModule, moduleNameOf, readModule, uploadModule } from "../../clients/sdk/modules.ts";
import { TransportFault } from "../../clients/sdk/problem.ts";
import { assemble } from "../../tools/job-sources.ts";
import { CommandLine } from "../support/client-commands.ts";
import { type OpenRegion, openRegionAt, REGION } from "../support/client-region.ts";

const COMMAND = assemble(`(module (memory (export "memory") 2) (func (export "_start")))`);
const NAME = moduleNameOf(COMMAND);

let region: OpenRegion;
let line: CommandLine;
let apiKey: string;

beforeAll(async () => {
  region = await openRegionAt(2);
  apiKey = (await region.household("ann")).apiKey;
  line = new CommandLine(region.stack.url, region.stateFolder);
});
afterAll(() => region.stop());
afterEach(() => {
  vi.unstubAllGlobals();
});

describe("modules in the SDK", () => {
  test("rejects: one that is not there, one that is none, and bytes that are another's", async () => {
    const { client } = region;
    await expect(describeModule(client, NAME)).rejects.toMatchObject({ code: "module_not_found" });
    await expect(readModule(client, NAME)).rejects.toMatchObject({ code: "module_not_found" });
    const text = new TextEncoder().encode("no module");
    await expect(uploadModule(client, REGION, apiKey, text)).rejects.toMatchObject({
      code: "module_invalid",
    });
    vi.stubGlobal("fetch", async () => new Response(text));
    await expect(readModule(client, NAME, 0)).rejects.toThrow(TransportFault);
    vi.stubGlobal("fetch", async () => new Response(new Uint8Array(5_000_000)));
    await expect(readModule(client, NAME, 0)).rejects.toThrow("larger than any module");
  });

  test("behavior: an upload can be read back, also when an answer is lost", async () => {
    const { client } = region;
    const answer = await uploadModule(client, REGION, apiKey, COMMAND);
    expect(answer).toMatchObject({ module: NAME, bytes: COMMAND.length, firstPages: 2 });
    expect(await describeModule(client, NAME)).toEqual(answer);
    const real = fetch;
    let asked = 0;
    vi.stubGlobal("fetch", async (...args: Parameters<typeof fetch>) => {
      asked += 1;
      if (asked === 1) throw new Error("lost");
      return real(...args);
    });
    expect(await readModule(client, NAME)).toEqual(COMMAND);
    expect(asked).toBe(2);
  });
});

describe("polder module", () => {
  test("rejects: no key, no file, no module", async () => {
    const key = { POLDER_API_KEY: apiKey };
    const file = line.write("text.wasm", "no module");
    await line.bad([
      [["module", "upload", file], /set POLDER_API_KEY/],
      [["module", "upload", file], /module_invalid/, key],
      [["module", "upload", line.file("none.wasm")], /none\.wasm/, key],
      [["module", "show", "0x12"], /64 hex digits/],
      [["module", "show", `0x${"12".repeat(32)}`], /module_not_found/],
    ]);
  });

  test("behavior: upload and show print what is known", async () => {
    writeFileSync(line.file("command.wasm"), COMMAND);
    const uploaded = await line.good(["module", "upload", line.file("command.wasm")], {
      POLDER_API_KEY: apiKey,
    });
    expect(uploaded).toContain(NAME);
    expect(uploaded).toContain("128 KiB");
    expect(await line.good(["module", "show", NAME])).toBe(uploaded);
    expect(JSON.parse(await line.good(["module", "show", NAME, "--json"]))).toMatchObject({ module: NAME });
  });
});
