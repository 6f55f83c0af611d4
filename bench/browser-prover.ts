// Owns proving in the machine's Chromium as the proving page does it: the same worker, served with its own policy, and
// timed inside the browser. It refuses to count the fetching of the circuit, which happens once.

import type { Browser, Page } from "playwright-core";
import type { ProvedWindow } from "../circuits/prover.ts";
import type { ProvingOrder, ProvingReport } from "../circuits/proving-worker.ts";
import { type Stack, startStack } from "../clients/local/stack.ts";
import { servedName } from "../tools/build-web.ts";
import { launchChromium } from "../tools/chromium.ts";

/** What of a page's global scope is used inside of it; Node has no such types. */
interface PageScope {
  readonly Worker: new (
    path: string,
  ) => { onmessage: (event: { data: ProvingReport }) => void; postMessage(order: ProvingOrder): void };
  prover?: InstanceType<PageScope["Worker"]>;
}

/** A window proved in a browser. */
export interface BrowserProof {
  readonly seconds: number;
  readonly proved: ProvedWindow;
}

/** A page whose worker holds the circuit of 96 slots. */
export class BrowserProver {
  readonly #stack: Stack;
  readonly #browser: Browser;
  readonly #page: Page;
  #isWarm = false;

  private constructor(stack: Stack, browser: Browser, page: Page) {
    this.#stack = stack;
    this.#browser = browser;
    this.#page = page;
  }

  static async start(): Promise<BrowserProver> {
    const stack = await startStack({ logger: () => {} });
    const browser = await launchChromium();
    const page = await browser.newPage();
    await page.goto(`${stack.url}/prove`);
    return new BrowserProver(stack, browser, page);
  }

  /** Proves a window of 96 slots; the first call hands over the circuit, and is for warming up. */
  async prove(order: Omit<ProvingOrder, "artifacts">): Promise<BrowserProof> {
    const kinds = ["wasm", "zkey"] as const;
    const paths = this.#isWarm ? [] : kinds.map((kind) => `/circuits/${servedName("meter-96", kind)}`);
    this.#isWarm = true;
    return this.#page.evaluate(
      async ({ sent, files }) => {
        const scope = globalThis as unknown as PageScope;
        scope.prover ??= new scope.Worker("/proving-worker.js");
        const { prover } = scope;
        const [wasm, zkey] = await Promise.all(
          files.map(async (file) => new Uint8Array(await (await fetch(file)).arrayBuffer())),
        );
        const artifacts = wasm === undefined || zkey === undefined ? {} : { artifacts: { wasm, zkey } };
        const started = performance.now();
        const proved = await new Promise<ProvedWindow>((resolve, reject) => {
          prover.onmessage = ({ data }) => {
            if (data.kind === "proved") resolve(data.proved);
            else if (data.kind === "refused") reject(new Error(`${data.reason}: ${data.detail}`));
          };
          prover.postMessage({ ...sent, ...artifacts });
        });
        return { seconds: (performance.now() - started) / 1_000, proved };
      },
      { sent: order, files: paths },
    );
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#stack.stop();
  }
}
