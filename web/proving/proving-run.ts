// Owns one run of the proving worker: it starts it, hands it windows one after another, and ends it. It refuses to let
// it live on after a cancellation, in whatever step it is.

import type { ProvedWindow } from "../../circuits/prover.ts";
import type {
  ProvingOrder,
  ProvingRefusal,
  ProvingReport,
  ProvingStep,
} from "../../circuits/proving-worker.ts";

const WORKER = "/proving-worker.js";

/** Why the worker proved nothing. */
export class ProvingFault extends Error {
  override readonly name = "ProvingFault";
  readonly reason: ProvingRefusal | "worker_lost";

  constructor(reason: ProvingRefusal | "worker_lost", detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** Somebody pressed cancel. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}

/** A worker that proves until it is ended. One window at a time. */
export class ProvingRun {
  readonly #worker = new Worker(WORKER);
  readonly #ending = new AbortController();

  constructor() {
    // It may be lost before it is given anything to do.
    this.#worker.onerror = ({ message }) =>
      this.#stop(new ProvingFault("worker_lost", message ?? "it could not be loaded"));
  }

  /** Aborted when the run is cancelled or its worker is lost, with the reason; also for what is fetched for it. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /**
   * Proves a window.
   * @param onStep is told when the worker begins a step.
   * @throws ProvingFault, Cancelled
   */
  prove(order: ProvingOrder, onStep: (step: ProvingStep) => void): Promise<ProvedWindow> {
    const { signal } = this;
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      worker.onmessage = ({ data }: MessageEvent<ProvingReport>) => {
        if (data.kind === "step") onStep(data.step);
        else if (data.kind === "proved") resolve(data.proved);
        else reject(new ProvingFault(data.reason, data.detail));
      };
      const { artifacts } = order;
      const moved = artifacts === undefined ? [] : [artifacts.wasm.buffer, artifacts.zkey.buffer];
      worker.postMessage(order, moved as ArrayBuffer[]);
    });
  }

  /** Ends the worker at once, and whoever waits for it with `Cancelled`. */
  cancel(): void {
    this.#stop(new Cancelled("cancelled"));
  }

  /** Ends the worker, and frees what it holds. */
  end(): void {
    this.#worker.terminate();
  }

  #stop(reason: Error): void {
    this.#ending.abort(reason);
    this.end();
  }
}
