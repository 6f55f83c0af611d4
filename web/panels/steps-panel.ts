// Owns the list of what proving a window takes: which step runs, for how long, and what came of it. It refuses to run
// anything.

import type { ProvingStep } from "../../circuits/proving-worker.ts";
import { byId, make } from "./element.ts";

/** Everything that happens, the page's own steps first. */
export type PageStep = "meters" | "circuit" | ProvingStep;

const LABELS: Readonly<Record<PageStep, string>> = {
  meters: "Every meter of the window",
  circuit: "The circuit",
  hash: "Its hashes, against the manifest",
  path: "The way from your meter to the root",
  witness: "The witness: your readings fit the statement",
  proof: "The proof",
};

const TICK_MS = 100;

/** The steps of one window. */
export class StepsPanel {
  readonly #items = new Map<PageStep, HTMLElement>();
  readonly #bar = make("progress", { max: "1", "aria-label": "Bytes of the circuit" });
  #running: PageStep | null = null;
  #startedMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Begins the list anew. */
  start(): void {
    this.stop();
    this.#items.clear();
    const items = Object.entries(LABELS).map(([step, label]) => {
      const item = make(
        "li",
        { "data-step": step, "data-state": "waiting" },
        make("span", { class: "label" }, label),
        make("span", { class: "detail" }),
        make("span", { class: "seconds figures" }),
      );
      this.#items.set(step as PageStep, item);
      return item;
    });
    byId("steps").replaceChildren(...items);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** A step runs; the one before it is done. */
  begin(step: PageStep): void {
    this.finish();
    this.#running = step;
    this.#startedMs = performance.now();
    this.#mark("running");
  }

  /** A step that a window before has done. */
  skip(step: PageStep, detail: string): void {
    const item = this.#items.get(step);
    item?.setAttribute("data-state", "done");
    item?.querySelector(".detail")?.append(detail);
  }

  /** Words beside the running step, and how far it is from 0 to 1 where that is known. */
  tell(detail: string, share: number | null = null): void {
    const item = this.#item();
    const words = item?.querySelector(".detail");
    if (item === undefined || words == null) return;
    words.textContent = detail;
    if (share === null) return;
    this.#bar.value = share;
    if (this.#bar.parentElement !== item) item.append(this.#bar);
  }

  /** The running step is done. */
  finish(): void {
    this.#tick();
    this.#mark("done");
    this.#running = null;
  }

  /** The running step failed, or was cancelled. */
  fail(): void {
    this.#tick();
    this.#mark("failed");
    this.stop();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#bar.remove();
    this.#running = null;
  }

  #item(): HTMLElement | undefined {
    return this.#running === null ? undefined : this.#items.get(this.#running);
  }

  #mark(state: "running" | "done" | "failed"): void {
    this.#item()?.setAttribute("data-state", state);
  }

  #tick(): void {
    const seconds = this.#item()?.querySelector(".seconds");
    if (seconds != null) seconds.textContent = secondsText((performance.now() - this.#startedMs) / 1000);
  }
}

/** Seconds with a tenth. */
export function secondsText(seconds: number): string {
  return `${seconds.toFixed(1)}\u202fs`;
}
