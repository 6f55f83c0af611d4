// Owns the promises of jobs from an app's end to a node's and back, on a real deployment with real nodes: refusals cost nothing,
// the app notices neither full nor vanished providers, one lie of three does not count, and a killed deployment loses no job.

import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { NodeKey } from "../../clients/provider/node-key.ts";
import { ProviderNode } from "../../clients/provider/provider-node.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import {
  type FinishedJob,
  JobClient,
  JobFailed,
  type JobRequest,
  verifyWebhook,
} from "../../clients/sdk/jobs.ts";
import { PolderProblem } from "../../clients/sdk/problem.ts";
import type { Hex } from "../../protocol/fields.ts";
import { commitmentOf } from "../../protocol/run-results.ts";
import { assemble, compileAssemblyScript, compileC, hasClang } from "../../tools/job-sources.ts";
import { type Ended, runToEnd } from "../support/client-process.ts";
import { eventually, REGION } from "../support/client-region.ts";
import { drawnPng, pointsOf } from "../support/png.ts";
import { ProviderRegion, type Trader } from "../support/provider-region.ts";
import { ScriptedNode } from "../support/scripted-node.ts";

const sourceOf = (name: string): string =>
  readFileSync(join(import.meta.dirname, "../../docs/examples/jobs", name), "utf8");
const BASE64 = assemble(sourceOf("base64.wat"));
/** Turns for as long as its fuel lasts. */
const ENDLESS = assemble(`(module (memory (export "memory") 1)
  (func (export "_start") (local $i i32)
    (loop $again (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $again))))`);
/** Writes to standard error and exits with 7. */
const SEVEN = assemble(`(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1) (data (i32.const 16) "seven\\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 6))
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.const 7))))`);
const QUICK = { fuelMega: 1_000, wallSeconds: 5 };
/** Two to five seconds of a core. */
const LONG = { fuelMega: 30_000, wallSeconds: 60 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (of: Uint8Array): string => new TextDecoder().decode(of);

let region: ProviderRegion;
let buyer: Trader;
let jobs: JobClient;
let sellers = 0;
const nodes = new Set<{ stop(): Promise<unknown> }>();

/** A real node with an ask in the book, the cheaper the number. */
async function joins(price = 200_000, cores = 1): Promise<ProviderNode & { readonly account: Hex }> {
  sellers += 1;
  const seller = await region.trader(`seller ${sellers}`, ["sell"]);
  const node = await ProviderNode.start({
    client: region.client,
    region: REGION,
    key: { account: seller.account, seed: seller.seed },
    offers: [{ product: "compute-job", quantityMega: 200_000, priceMicrosPerTera: price }],
    cores,
    folder: join(region.folder, "modules"),
  });
  nodes.add({ stop: () => node.stop(0) });
  expect(await eventually(async () => (await region.asksOf(seller.account)) > 0)).toBe(true);
  return Object.assign(node, { account: seller.account });
}

/** A node that takes runs, binds a lie and shows it. */
async function liar(): Promise<Hex> {
  sellers += 1;
  const { account, seed, signer } = await region.trader(`seller ${sellers}`, ["sell"]);
  const { client } = region;
  const { chainId, settlement } = await client.deployment();
  const atS = (): number => Math.floor(Date.now() / 1000);
  const domain = { chainId, settlement };
  const url = `${region.stack.url.replace("http", "ws")}/v1/regions/${REGION}/providers/${account}/socket`;
  const node = new ScriptedNode(
    new WebSocket(url),
    new NodeKey({ account, seed, region: REGION, domain, atS }),
  );
  await eventually(() => node.of("challenge").length === 1);
  node.hello();
  const ask = await client.submit(REGION, signer, {
    type: "place_resource_order",
    ...{ product: "compute-job", side: "sell", quantityMega: 200_000, priceMicrosPerTera: 1_000 },
    ...{ timeInForce: "good_till_time", goodTillS: (await client.marketTimeS()) + 3_600 },
  });
  nodes.add({
    stop: async () => {
      await client.submit(REGION, signer, { type: "cancel_resource_order", orderId: ask.entry });
      node.leave();
    },
  });
  void eventually(() => node.of("run").length > 0).then(async () => {
    const [run] = node.of("run");
    if (run === undefined) return;
    node.accept(run.obligationId);
    const [frame, parts] = node.result(run, { stdout: "a lie" });
    const { report } = frame as { report: { command: { outputHash: Hex } } };
    const commitment = commitmentOf(report.command.outputHash, node.key.salt(run.obligationId));
    node.send({ type: "committed", obligationId: run.obligationId, commitment });
    await eventually(() => node.of("reveal").length > 0);
    node.send(frame, parts);
  });
  return account;
}

const asking = (module: Uint8Array, more: Partial<JobRequest> = {}): JobRequest => ({
  module,
  limits: QUICK,
  mostMicros: 10_000,
  ...more,
});
/** One run alone is owed for: of others, whose node had lost its connection, nothing came. */
const expectOnce = ({ job }: FinishedJob): void => {
  const states = job.runs.map(({ state }) => state);
  expect(states.filter((state) => state === "reported")).toHaveLength(1);
  expect(states.every((state) => state === "reported" || state === "gave_up")).toBe(true);
  expect(new Set(job.purchases.map(({ commandId }) => commandId)).size).toBe(job.runs.length);
};
const failureOf = async (work: Promise<FinishedJob>): Promise<JobFailed> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof JobFailed)) throw new Error(`no failure but ${error}`);
  return error;
};
const stateOf = async () => {
  const { freeMicros, escrowMicros } = await region.client.account(REGION, buyer.account);
  const listed = [];
  for await (const job of jobs.list()) listed.push(job.job);
  return { freeMicros, escrowMicros, listed };
};

function polder(...args: string[]): Promise<Ended> {
  const place = ["--url", region.stack.url, "--region", REGION];
  return runToEnd("cli/main.ts", [...args, ...place], { POLDER_API_KEY: buyer.apiKey });
}

const fileOf = (name: string, content: Uint8Array): string => {
  const file = join(region.folder, name);
  writeFileSync(file, content);
  return file;
};

beforeAll(async () => {
  region = await ProviderRegion.open({ hasDesks: true });
  buyer = await region.trader("buyer", ["buy"]);
  // Patient: on a busy machine a deployment that was killed takes its time to be back.
  region.client = new PolderClient(region.stack.url, { retries: 40 });
  jobs = new JobClient(region.client, REGION, buyer.apiKey, { timeoutMs: 60_000 });
});
afterEach(async () => {
  await Promise.all([...nodes].map((node) => node.stop()));
  nodes.clear();
});
afterAll(() => region.stop());

describe("a job", () => {
  test("rejects: what nobody sells, what is no module, what costs too much; nothing is held or kept", async () => {
    const before = await stateOf();
    const refused = async (request: JobRequest): Promise<string> => {
      const error = await jobs.run(request).catch((thrown: unknown) => thrown);
      expect(await stateOf()).toEqual(before);
      return error instanceof PolderProblem ? error.code : String(error);
    };
    expect(await refused(asking(new Uint8Array([1, 2, 3])))).toBe("module_invalid");
    expect(await refused(asking(BASE64))).toBe("order_unmatched");
    await joins(5_000_000);
    expect(await refused(asking(BASE64, { mostMicros: 4_999 }))).toBe("order_unmatched");
    expect(await refused(asking(BASE64, { replicas: 2 }))).toBe("sellers_insufficient");
    expect(await refused(asking(BASE64, { input: new Uint8Array(5_000_000) }))).toBe("job_input_too_large");
    const quote = await jobs.quote(asking(BASE64));
    expect(quote).toMatchObject({ costMicros: 5_000, asks: [{ costMicros: 5_000 }], problem: null });
    expect(await stateOf()).toEqual(before);
    const file = fileOf("base64.wasm", BASE64);
    const dear = await polder("job", "run", file, "--most", "0.004", "--fuel", "1000");
    expect(dear).toMatchObject({
      status: 125,
      stdout: "",
      stderr: expect.stringContaining("order_unmatched"),
    });
    // What to do next, and no status that could be the job's.
    expect(dear.stderr).toMatch(/^--most 0\.005000 would do now$/m);
    const free = await polder("job", "run", file, "--most", "0");
    expect(free).toMatchObject({ status: 125, stdout: "", stderr: expect.stringContaining("above zero") });
    expect(free.stderr.trim().split("\n").length).toBeLessThan(5);
    expect(await polder("job", "run", "nowhere.wasm", "--most", "1")).toMatchObject({
      status: 125,
      stdout: "",
    });
    expect((await polder("job", "show", `0x${"00".repeat(32)}`)).stderr).toContain("job_not_found");
    expect(await stateOf()).toEqual(before);
  });

  test("behavior: is run like a program of this machine: output, errors and exit code are its own", async () => {
    await joins();
    const input = fileOf("input", bytes("what goes in"));
    const done = await polder("job", "run", fileOf("b.wasm", BASE64), "--most", "0.01", "--input", input);
    expect(done).toEqual({ status: 0, stdout: `${btoa("what goes in")}\n`, stderr: "" });
    const seven = await polder("job", "run", fileOf("seven.wasm", SEVEN), "--most", "0.01");
    expect(seven).toEqual({ status: 7, stdout: "", stderr: "seven\n" });
    const empty = await polder("job", "run", fileOf("e.wasm", ENDLESS), "--most", "0.00001", "--fuel", "5");
    expect(empty).toMatchObject({ status: 126, stderr: expect.stringContaining("out_of_fuel") });
    const told = JSON.parse(
      (await polder("job", "run", input.replace("input", "b.wasm"), "--most", "0.01", "--json")).stdout,
    );
    expect(told).toMatchObject({ status: "done", result: { exitCode: 0 }, runs: [{ state: "reported" }] });
    expect((await polder("job", "show", told.job)).stdout).toContain(told.result.outputHash);
    expect((await polder("job", "list")).stdout).toContain(told.job);
    expect(await polder("job", "cancel", told.job)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("job_over"),
    });
    const quoted = await polder("job", "quote", input.replace("input", "b.wasm"), "--most", "0.01");
    expect(quoted).toMatchObject({ status: 0, stdout: expect.stringContaining("0.002000") });
  });

  test("behavior: the examples run on providers' machines as they do here", {
    timeout: 180_000,
  }, async () => {
    await joins();
    const words = await jobs.run(
      asking(await compileAssemblyScript(sourceOf("words.as")), {
        input: { json: { text: "the tide, the sea" } },
      }),
    );
    expect(JSON.parse(text(words.stdout))).toMatchObject({ words: 4, longest: "tide" });
    const coded = await jobs.run(asking(BASE64, { input: bytes("the tide") }));
    expect(text(coded.stdout)).toBe(`${btoa("the tide")}\n`);
    if (!hasClang()) return;
    const { file, thirds } = drawnPng({
      width: 300,
      height: 150,
      colour: 6,
      pack: (rows) => deflateSync(rows),
    });
    const small = await jobs.run(asking(compileC(sourceOf("thumbnail.c")), { input: file, args: ["100"] }));
    expect(small.job.result?.stdout?.encoding).toBe("base64");
    expect(pointsOf(small.stdout, inflateSync).points).toEqual(thirds);
  });

  test("behavior: a provider that is full is skipped, and one that vanished with its run is made up for", {
    timeout: 120_000,
  }, async () => {
    const cheap = await joins(1_000);
    const other = await joins(2_000);
    const long = await jobs.submit(asking(ENDLESS, { limits: LONG }));
    expect(long.runs[0]?.provider).toBe(cheap.account);
    const quick = await jobs.run(asking(BASE64));
    expect(quick.job).toMatchObject({ status: "done" });
    expect(quick.job.runs.at(-1)?.provider).toBe(other.account);
    expect((await jobs.wait(long.job)).job.result?.end).toBe("out_of_fuel");
    const lost = await jobs.submit(asking(ENDLESS, { limits: { fuelMega: 150_000, wallSeconds: 2 } }));
    const busy = [cheap, other].find(({ account }) => account === lost.runs[0]?.provider);
    await busy?.kill();
    const failed = await failureOf(jobs.wait(lost.job)).catch((error: unknown) => error);
    const { runs } = await jobs.get(lost.job);
    expect(runs.length).toBeGreaterThan(1);
    expect(failed).toMatchObject({ job: { status: "failed" } });
  });

  test("behavior: of three replicas with one liar the majority's result counts", {
    timeout: 60_000,
  }, async () => {
    const lying = await liar();
    await Promise.all([joins(2_000), joins(3_000)]);
    const { job, stdout } = await jobs.run(asking(BASE64, { replicas: 3, input: bytes("true") }));
    expect(text(stdout)).toBe(`${btoa("true")}\n`);
    expect(job.runs.map(({ provider }) => provider)).toContain(lying);
    await eventually(async () => (await jobs.get(job.job)).runs.every(({ state }) => state === "reported"));
    const { runs } = await jobs.get(job.job);
    const hashes = runs.map(({ outputHash }) => outputHash === job.result?.outputHash);
    expect(hashes.filter((isEqual) => isEqual)).toHaveLength(2);
    expect(runs.find(({ provider }) => provider === lying)?.outputHash).not.toBe(job.result?.outputHash);
  });

  test("behavior: an app that vanishes, and a deployment that is killed, lose no job and buy none twice", {
    timeout: 120_000,
  }, async () => {
    await joins(1_000);
    const before = await stateOf();
    const leaving = new AbortController();
    const vanished = fetch(`${region.stack.url}/v1/regions/${REGION}/jobs`, {
      method: "POST",
      signal: leaving.signal,
      headers: { authorization: `Bearer ${buyer.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({
        module: (await region.upload(ENDLESS, buyer.apiKey)).module,
        limits: LONG,
        mostMicros: 10_000,
      }),
    }).catch(() => null);
    await eventually(async () => (await stateOf()).listed.length > before.listed.length);
    leaving.abort();
    await vanished;
    region.killObjects();
    const [job] = (await stateOf()).listed as [Hex];
    const done = await jobs.wait(job);
    expect(done.job).toMatchObject({ status: "done", result: { end: "out_of_fuel" } });
    expectOnce(done);
    const salt: Hex = `0x${"5a".repeat(32)}`;
    const first = await jobs.submit(asking(ENDLESS, { limits: LONG, salt }));
    region.killObjects();
    const again = await jobs.run(asking(ENDLESS, { limits: LONG, salt }));
    expect(again.job).toMatchObject({ job: first.job, status: "done" });
    expectOnce(again);
  });

  test("behavior: a webhook tells of the end, signed by the deployment", async () => {
    await joins();
    const came: { readonly headers: Headers; readonly body: string }[] = [];
    const server: Server = createServer(async (request: IncomingMessage, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const headers = new Headers(request.headers as Record<string, string>);
      came.push({ headers, body: Buffer.concat(pieces).toString() });
      response.statusCode = 204;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/told`;
    const { job } = await jobs.run(asking(BASE64, { input: bytes("secret"), webhook }));
    expect(await eventually(() => came.length > 0)).toBe(true);
    expect(await eventually(async () => (await jobs.get(job.job)).webhook?.state === "delivered")).toBe(true);
    server.close();
    const [{ headers, body }] = came as [(typeof came)[0]];
    const { receiptKey } = await region.client.deployment();
    expect(await verifyWebhook(receiptKey, headers, body)).toMatchObject({ job: job.job, status: "done" });
    expect(body).not.toContain(btoa("secret"));
    const nowS = Math.floor(Date.now() / 1000);
    for (const [key, message, at] of [
      [receiptKey, body.replace("done", "gone"), nowS],
      [receiptKey, body, nowS + 400],
      [`0x${"11".repeat(32)}`, body, nowS],
    ] as const)
      expect(await verifyWebhook(key as Hex, headers, message, at)).toBeNull();
    headers.delete("polder-signature");
    expect(await verifyWebhook(receiptKey, headers, body)).toBeNull();
  });
});
