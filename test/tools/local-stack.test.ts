// The local stack against its hazards: a taken port, two launchers on one state, a killed workerd, a killed launcher.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Stack, type StackOptions, startStack } from "../../clients/local/stack.ts";

const SUPPORT = join(import.meta.dirname, "../support");

let stateFolder: string;
let stacks: Stack[] = [];

beforeEach(() => {
  stateFolder = mkdtempSync(join(tmpdir(), "polder-stack-"));
});

afterEach(async () => {
  await Promise.all(stacks.map((stack) => stack.stop()));
  stacks = [];
  rmSync(stateFolder, { recursive: true, force: true });
});

async function start(options: StackOptions = {}): Promise<Stack> {
  const entryFile = join(SUPPORT, "stand-in-worker.js");
  const stack = await startStack({ entryFile, logger: () => {}, ...options });
  stacks.push(stack);
  return stack;
}

const ask = async (url: string, path: string) => (await fetch(`${url}${path}`)).json();

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits for what the kernel or workerd does in its own time. */
async function eventually(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await condition()) return true;
    await sleep(50);
  }
  return false;
}

describe("local stack", () => {
  test("rejects: a port that is taken, naming it", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    await expect(start({ port })).rejects.toThrow(`port ${port} is in use`);
    holder.close();
  });

  test("rejects: a state folder that another stack holds, and leaves that one serving", async () => {
    const first = await start({ stateFolder });
    expect(await ask(first.url, "/v1/count")).toBe(1);
    await expect(start({ stateFolder })).rejects.toThrow("in use by another running stack");
    expect(await ask(first.url, "/v1/count")).toBe(2);
  });

  test("behavior: objects, the receipt seed and the port outlive a restart", async () => {
    const first = await start({ stateFolder });
    const settings = await ask(first.url, "/v1/settings");
    expect(await ask(first.url, "/v1/count")).toBe(1);
    await first.stop();
    const second = await start({ stateFolder, port: first.port });
    expect(await ask(second.url, "/v1/count")).toBe(2);
    expect(await ask(second.url, "/v1/settings")).toEqual(settings);
  });

  test("behavior: without a state folder nothing is kept", async () => {
    const first = await start();
    expect(await ask(first.url, "/v1/count")).toBe(1);
    await first.stop();
    expect(await ask((await start()).url, "/v1/count")).toBe(1);
  });

  test("behavior: assets are served beside the Worker, which answers what is no asset", async () => {
    const { url } = await start({ vars: { OPERATOR: "0xoperator" } });
    expect((await fetch(`${url}/docs-assets/swagger-ui.css`)).status).toBe(200);
    expect((await fetch(`${url}/uplot.css`)).headers.get("content-type")).toContain("text/css");
    for (const path of ["/nowhere", "/docs", "/openapi.json"]) {
      expect(await (await fetch(`${url}${path}`)).text()).toBe(`stand-in: ${path}`);
    }
    expect(await ask(url, "/v1/settings")).toMatchObject({ chainId: "31337", operator: "0xoperator" });
  });

  test("behavior: stop ends workerd within two seconds, and twice is once", async () => {
    const { workerdPid, stop } = await start({ stateFolder });
    const startedMs = performance.now();
    await Promise.all([stop(), stop()]);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(isAlive(workerdPid)).toBe(false);
  });

  test("behavior: a killed workerd comes back on the same port with its state", async () => {
    const stack = await start({ stateFolder });
    const firstPid = stack.workerdPid;
    expect(await ask(stack.url, "/v1/count")).toBe(1);
    process.kill(firstPid, "SIGKILL");
    const answers = () =>
      ask(stack.url, "/v1/count")
        .then((total) => total === 2)
        .catch(() => false);
    expect(await eventually(answers)).toBe(true);
    expect(stack.workerdPid).not.toBe(firstPid);
  });

  test("invariant: a killed launcher leaves no workerd, and its state folder is free", async () => {
    const launcher = spawn(process.execPath, [join(SUPPORT, "stack-launcher.ts"), stateFolder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(launcher.stdout, "data");
    const { url, workerdPid } = JSON.parse(String(line));
    expect(await ask(url, "/v1/count")).toBe(1);
    expect(isAlive(workerdPid)).toBe(true);
    launcher.kill("SIGKILL");
    expect(await eventually(() => !isAlive(workerdPid))).toBe(true);
    expect(await ask((await start({ stateFolder })).url, "/v1/count")).toBe(2);
  });
});
