// Owns workerd as a process of this machine: started through Miniflare, bound to us, and ended for certain. It refuses to outlive
// whoever started it.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { Miniflare } from "miniflare";

/** Starts a program that must not outlive us. */
export const SHIM = resolve(import.meta.dirname, "../../tools/program-with-parent.sh");

/** How long `stop` waits for workerd before it kills it, in milliseconds. */
const STOP_LIMIT_MS = 1_500;

/** Points Miniflare at the shim. It reads the path from the environment at each start of workerd. */
export function useShim(): void {
  if (process.platform === "win32" || process.env.MINIFLARE_WORKERD_PATH === SHIM) return;
  // workerd is Miniflare's dependency, not ours: ask for the binary that it would have taken.
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  const binary: { default: string } = fromMiniflare("workerd");
  process.env.POLDER_PROGRAM = process.env.MINIFLARE_WORKERD_PATH ?? binary.default;
  process.env.MINIFLARE_WORKERD_PATH = SHIM;
}

/**
 * Miniflare ends the whole process on SIGINT and SIGTERM at once, which would cut off a launcher that stops
 * its agents and its chain in order. Signals are the launcher's business, and the shim covers the rest.
 */
export function withoutSignalHandlers<T>(make: () => T): T {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = new Set(signals.flatMap((signal) => process.listeners(signal)));
  const made = make();
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (!before.has(listener)) process.removeListener(signal, listener);
    }
  }
  return made;
}

export const readPid = (pidFile: string) => Number(readFileSync(pidFile, "utf8"));

/** Ends workerd once, however often it is asked, and by force when Miniflare takes too long. */
export function stopOnce(miniflare: Miniflare, pidFile: string, runFolder: string): () => Promise<void> {
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    // Rejects when the start itself had failed, which has been told already.
    const disposed = miniflare.dispose().catch(() => {});
    const late = new Promise<"late">((resolve) => setTimeout(resolve, STOP_LIMIT_MS, "late").unref());
    if ((await Promise.race([disposed, late])) === "late" && existsSync(pidFile)) {
      try {
        process.kill(readPid(pidFile), "SIGKILL");
      } catch {
        // It ended in between.
      }
    }
    rmSync(runFolder, { recursive: true, force: true });
  };
  return () => {
    stopping ??= stop();
    return stopping;
  };
}
