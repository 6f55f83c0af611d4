// Owns jobs over HTTP as an app meets them: with an API key, against the real desk, provider's object and region, and a node that
// does what it is told. It refuses a stand-in for any of these but the node.

import { runDurableObjectAlarm } from "cloudflare:test";
import { beforeEach, describe, expect, test } from "vitest";
import { sha256Hex } from "../../durable-objects/digest.ts";
import { keepModule } from "../../durable-objects/module-store.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_JOB_BODY_BYTES, MAX_JOB_INPUT_BYTES } from "../../protocol/limits.ts";
import { ProviderUnderTest, until } from "../durable-objects/provider-under-test.ts";
import {
  env,
  goTo,
  OPENED_AT_S,
  rest,
  useMarketTime,
  useQuietConsole,
} from "../durable-objects/region-under-test.ts";
import { word } from "../support/market.ts";
import { commandOf } from "../support/module-bytes.ts";
import type { ScriptedNode } from "../support/scripted-node.ts";
import { expectAccepted, type GatewayUnderTest, type Reply, request } from "./gateway-under-test.ts";

useMarketTime();
useQuietConsole();

const BYTES = commandOf([]);
const MODULE: Hex = `0x${sha256Hex(BYTES)}`;
const LIMITS = { fuelMega: 100, wallSeconds: 5 };
const asking = (more: Record<string, unknown> = {}) => ({
  module: MODULE,
  limits: LIMITS,
  mostMicros: 100,
  waitSeconds: 0,
  ...more,
});

let provider: ProviderUnderTest;
let polder: GatewayUnderTest;
/** The home's key that may buy compute. */
let apiKey: Record<string, string>;

beforeEach(async () => {
  provider = await ProviderUnderTest.furnished();
  polder = provider.polder;
  await provider.inside((object) => {
    object.asker = (desk) => env.JOB_DESK.getByName(desk) as never;
  });
  const seed = word(0xc0de);
  const command = polder.sessionCommand(seed, {
    resources: ["compute"],
    sides: ["buy"],
    highestBidMicrosPerTera: 1_000_000_000,
    dailyMega: 1_000_000,
    spendingLimitMicros: 1_000_000,
  });
  expectAccepted(await polder.post("/sessions", await polder.signed(polder.home, command)), 201);
  apiKey = { authorization: `Bearer polder_${polder.account.slice(2)}${seed.slice(2)}` };
  await keepModule(env, MODULE, BYTES);
});

const post = (body: unknown, headers = apiKey, path = "/jobs"): Promise<Reply> =>
  polder.post(path, body, headers);
const listed = async (): Promise<unknown[]> => (await polder.get("/jobs", apiKey)).json.jobs;

/** Expects the same refusal of a job and of its quote, where both are refused; nothing is kept of it. */
async function refuse(code: ErrorCode, body: unknown, headers = apiKey): Promise<Record<string, unknown>> {
  const facts = await polder.refuse(code, () => post(body, headers));
  expect(await listed()).toEqual([]);
  return facts;
}

/** A node that takes runs and gives each this result. */
async function working(said: Parameters<ScriptedNode["sendResult"]>[1] = {}): Promise<ScriptedNode> {
  const node = await provider.node();
  await provider.ask();
  void until(() => node.of("run").length > 0, 2_000).then(() => {
    for (const run of node.of("run")) {
      node.accept(run.obligationId);
      node.sendResult(run, said);
    }
  });
  return node;
}

describe("jobs over HTTP", () => {
  test("rejects: whoever has no live key of the account, before the body is read", async () => {
    const body = "{ not read";
    await polder.refuse("authentication_missing", () => post(body, {}));
    await polder.refuse("api_key_malformed", () => post(body, { authorization: "Bearer polder_x" }));
    const strange = `Bearer polder_${polder.account.slice(2)}${word(0xbad).slice(2)}`;
    await polder.refuse("session_unknown", () => post(body, { authorization: strange }));
    for (const path of ["/jobs", `/jobs/${word(1)}`, `/jobs/${word(1)}/output`])
      await polder.refuse("session_unknown", () => polder.get(path, { authorization: strange }));
    const elsewhere = await request("POST", "/v1/regions/nowhere/jobs", body, apiKey);
    expect(elsewhere.json.code).toBe("region_not_found");
    await polder.refuse("malformed_json", () => post(body));
  });

  test("rejects: what no provider could run", async () => {
    await refuse("malformed_request", asking({ module: "0x12" }));
    await refuse("module_not_found", asking({ module: word(9) }));
    // Kept by a release that took it, and no module to this one.
    const old = new TextEncoder().encode("no module any more");
    await env.MODULES.put(`modules/${sha256Hex(old)}`, old);
    await refuse("module_invalid", asking({ module: `0x${sha256Hex(old)}` }));
    await refuse("malformed_request", asking({ mostMicros: 0 }));
    await refuse("malformed_request", asking({ limits: { fuelMega: 6_000_001 } }));
    await refuse("malformed_request", asking({ replicas: 8 }));
    await refuse("malformed_request", asking({ input: { text: "a", base64: "YQ==" } }));
    expect(await refuse("malformed_request", asking({ input: { base64: "YQ=" } }))).toMatchObject({
      path: "input",
    });
    await refuse("malformed_request", asking({ input: {} }));
    const strings = { args: ["ä".repeat(16_000)], env: { NAME: "b".repeat(800) } };
    expect(await refuse("malformed_request", asking(strings))).toMatchObject({ path: "args" });
    for (const webhook of ["http://app.example/", "https://a:b@app.example/", "file:///etc/passwd", "x"])
      await refuse("webhook_refused", asking({ webhook }));
    const facts = await refuse("job_price_too_low", asking({ mostMicros: 2, replicas: 3 }));
    expect(facts).toEqual({ leastMicros: 3 });
    const large = { text: "x".repeat(MAX_JOB_INPUT_BYTES + 1) };
    expect(await refuse("job_input_too_large", asking({ input: large }))).toEqual({
      limitBytes: MAX_JOB_INPUT_BYTES,
    });
    const body = JSON.stringify(asking({ input: { text: "x".repeat(MAX_JOB_BODY_BYTES) } }));
    expect(await refuse("job_input_too_large", body)).toEqual({ limitBytes: MAX_JOB_BODY_BYTES });
  });

  test("rejects: what nobody sells, what the account cannot pay, and keys without the right", async () => {
    expect(await refuse("order_unmatched", asking())).toMatchObject({ leastMicros: null });
    await provider.ask();
    // 100 megafuel at 200,000 micros a tera are 20 micros.
    expect(await refuse("order_unmatched", asking({ mostMicros: 19 }))).toMatchObject({ leastMicros: 20 });
    expect(await refuse("sellers_insufficient", asking({ replicas: 2 }))).toMatchObject({
      leastMicros: null,
    });
    await refuse("order_unmatched", asking({ limits: { fuelMega: 1_001 }, mostMicros: 10_000 }));
    await refuse("session_scope", asking(), polder.apiKey);
    const poor = await polder.get(`/accounts/${polder.account}`);
    expect(poor.json.escrowMicros).toBe(0);
  });

  test("behavior: a quote says what it would cost, by whom, or what it would be refused for, and keeps nothing", async () => {
    await provider.ask();
    const before = await polder.region.stateHash();
    const salt = word(5);
    const quote = await post(asking({ salt }), apiKey, "/jobs/quote");
    expect(quote.json).toMatchObject({
      fuelMega: 100,
      replicas: 1,
      priceMicrosPerTera: 1_000_000,
      costMicros: 20,
      asks: [{ seller: provider.account, priceMicrosPerTera: 200_000, costMicros: 20 }],
      problem: null,
    });
    const dear = await post(asking({ mostMicros: 19 }), apiKey, "/jobs/quote");
    expect(dear.json).toMatchObject({
      costMicros: 0,
      asks: [],
      problem: { code: "order_unmatched", facts: { leastMicros: 20 } },
    });
    const scoped = await post(asking(), polder.apiKey, "/jobs/quote");
    expect(scoped.json.problem.code).toBe("session_scope");
    await polder.refuse("module_not_found", () => post(asking({ module: word(9) }), apiKey, "/jobs/quote"));
    expect(await polder.region.stateHash()).toEqual(before);
    expect(await listed()).toEqual([]);
    await provider.node();
    const job = await post(asking({ salt }));
    expect(job.json.job).toBe(quote.json.job);
  });

  test("behavior: a job is bought, run, reported, and answered with its output, price and receipt", async () => {
    await working({ stdout: "hello\n", fuelUsed: 41_500_000 });
    const reply = await post(
      asking({ input: { json: { a: [1, "ä"] } }, args: ["-v"], env: { LANG: "C" }, waitSeconds: 10 }),
    );
    expect(reply.status).toBe(200);
    const { json } = reply;
    expect(json).toMatchObject({
      status: "done",
      result: {
        end: "exited",
        exitCode: 0,
        fuelUsed: 41_500_000,
        stdout: { encoding: "utf8", data: "hello\n" },
      },
      owedMicros: 9,
      runs: [{ provider: provider.account, fuelMega: 42, state: "reported", priceMicrosPerTera: 200_000 }],
      problem: null,
    });
    expect(reply.headers.get("location")).toBe(`${polder.path}/jobs/${json.job}`);
    const [purchase] = json.purchases;
    const receipt = (await polder.get(`/receipts/${purchase.entry}`)).json;
    expect(receipt).toMatchObject({ commandId: purchase.commandId, receipt: purchase.receipt });
    const input = new TextDecoder().decode((await provider.stub.keptRun(json.runs[0].obligation))?.input);
    expect(input).toBe('{"a":[1,"ä"]}');
    const output = await polder.get(`/jobs/${json.job}/output`, apiKey);
    expect([output.text, output.headers.get("content-type")]).toEqual([
      "hello\n",
      "application/octet-stream",
    ]);
    expect((await polder.get(`/jobs/${json.job}/output?stream=stderr`, apiKey)).text).toBe("");
    expect((await polder.get(`/jobs/${json.job}`, apiKey)).json).toEqual(json);
    expect(await listed()).toEqual([expect.objectContaining({ job: json.job, status: "done" })]);
    const cancelled = await request("DELETE", `${polder.path}/jobs/${json.job}`, undefined, apiKey);
    expect([cancelled.status, cancelled.json.code]).toEqual([409, "job_over"]);
  });

  test("behavior: the same salt is the same job, however often it is sent; another account does not see it", async () => {
    const node = await provider.node();
    await provider.ask();
    const body = asking({ salt: word(7) });
    const sent = Promise.all([post(body), post(body)]);
    await until(() => node.of("run").length > 0);
    node.accept(node.of("run")[0]?.obligationId as number);
    const [first, second] = await sent;
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.json.job).toBe(first.json.job);
    expect(await listed()).toHaveLength(1);
    expect(node.of("run")).toHaveLength(1);
    expect((await polder.get(`/accounts/${polder.account}`)).json.escrowMicros).toBe(20);
    const running = await request("DELETE", `${polder.path}/jobs/${first.json.job}`, undefined, apiKey);
    expect(running.json.code).toBe("job_running");
    const missing = await polder.get(`/jobs/${first.json.job}/output`, apiKey);
    expect(missing.json.code).toBe("job_output_missing");
    const theirs = { authorization: `Bearer polder_${provider.account.slice(2)}${provider.seed.slice(2)}` };
    const hidden = await polder.get(`/jobs/${first.json.job}`, theirs);
    expect([hidden.status, hidden.json.code]).toEqual([404, "job_not_found"]);
    expect((await polder.get("/jobs", theirs)).json.jobs).toEqual([]);
    const waiting = polder.get(`/jobs/${first.json.job}?waitSeconds=10`, apiKey);
    await rest(20);
    node.sendResult(node.of("run")[0] as never);
    expect((await waiting).json).toMatchObject({ status: "done", result: { stdout: { data: "done\n" } } });
  });

  test("behavior: a patient job waits for a seller, and can be cancelled for nothing until then", async () => {
    const patient = { patienceSeconds: 600 };
    const waiting = await post(asking({ ...patient, salt: word(1) }));
    expect([waiting.status, waiting.json.status, waiting.json.problem.code]).toEqual([
      202,
      "queued",
      "order_unmatched",
    ]);
    const other = await post(asking({ ...patient, salt: word(2) }));
    const cancelled = await request("DELETE", `${polder.path}/jobs/${other.json.job}`, undefined, apiKey);
    expect(cancelled.json).toMatchObject({ status: "cancelled", runs: [], purchases: [] });
    await working();
    goTo(OPENED_AT_S + 30);
    await runDurableObjectAlarm(env.JOB_DESK.getByName(`${polder.name}/${polder.account}`));
    const done = await polder.get(`/jobs/${waiting.json.job}?waitSeconds=10`, apiKey);
    expect(done.json.status).toBe("done");
    expect((await polder.get(`/jobs/${other.json.job}`, apiKey)).json.status).toBe("cancelled");
  });

  test("behavior: a provider whose node is away has its asks taken out, and the job waits for another", async () => {
    const node = await provider.node();
    const order = await provider.ask();
    node.send({ type: "will", cancels: [provider.keyOf().cancel(order, OPENED_AT_S + 3_600)] });
    await rest(20);
    node.leave();
    await rest(20);
    goTo(OPENED_AT_S + 10);
    const reply = await post(asking({ waitSeconds: 5, patienceSeconds: 600 }));
    expect(reply.status).toBe(202);
    expect(reply.json).toMatchObject({ status: "running", runs: [{ state: "gave_up" }] });
    await until(async () => (await provider.resting()).length === 0);
    expect((await polder.get(`/providers/${provider.account}`)).json).toMatchObject({
      failures: 1,
      lapses: 1,
    });
    // Its money is back before anybody else is asked.
    await until(
      async () => (await polder.get(`/obligations/${reply.json.runs[0].obligation}`)).status === 404,
    );
    expect((await polder.get(`/accounts/${polder.account}`)).json.escrowMicros).toBe(0);
    // It is passed over for the job that it let down, and has the next one.
    const back = await working();
    goTo(OPENED_AT_S + 30);
    await runDurableObjectAlarm(env.JOB_DESK.getByName(`${polder.name}/${polder.account}`));
    const { json: waiting } = await polder.get(`/jobs/${reply.json.job}`, apiKey);
    expect(waiting).toMatchObject({ status: "running", problem: { code: "order_unmatched" } });
    const next = await post(asking({ waitSeconds: 10, salt: word(2) }));
    expect(next.json).toMatchObject({ status: "done", runs: [{ state: "reported" }] });
    expect(back.of("run")).toHaveLength(1);
  });

  test("behavior: one that stays the best ask and never comes is asked once", async () => {
    goTo(OPENED_AT_S + 10);
    await provider.ask();
    const { json } = await post(asking());
    for (let look = 1; look < 4; look += 1) {
      goTo(OPENED_AT_S + 20 * look);
      await runDurableObjectAlarm(env.JOB_DESK.getByName(`${polder.name}/${polder.account}`));
    }
    const failed = (await polder.get(`/jobs/${json.job}`, apiKey)).json;
    expect(failed).toMatchObject({
      status: "failed",
      problem: { code: "order_unmatched" },
      owedMicros: null,
    });
    expect(failed.runs).toHaveLength(1);
  });
});
