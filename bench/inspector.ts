// Owns the talk with workerd's inspector: heap figures and CPU profiles of the isolate that runs the Workers and their
// objects. It refuses to guess which isolate: the caller names the Worker.

/** A CPU profile as the protocol gives it. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** What an isolate holds, in bytes. */
export interface HeapUsage {
  /** Objects on V8's heap. */
  readonly usedSize: number;
  /** Memory of array buffers, outside of that heap. */
  readonly backingStorageSize: number;
  readonly embedderHeapUsedSize: number;
}

/** A session with one isolate's inspector. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (fault: Error) => void }
  >();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, result, error } = JSON.parse(String(data)) as {
        id?: number;
        result?: unknown;
        error?: { message: string };
      };
      const waiting = id === undefined ? undefined : this.#waiting.get(id);
      if (waiting === undefined) return;
      this.#waiting.delete(id as number);
      if (error === undefined) waiting.resolve(result);
      else waiting.reject(new Error(error.message));
    };
  }

  /** Connects to the inspector that Miniflare opened on a port, for the Worker of this name. */
  static async open(port: number, worker = "polder"): Promise<Inspector> {
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
      webSocketDebuggerUrl: string;
    }[];
    const target = targets
      .map(({ webSocketDebuggerUrl }) => webSocketDebuggerUrl)
      .find((url) => url.endsWith(`/core:user:${worker}`));
    if (target === undefined) throw new Error(`no inspector for ${worker} on port ${port}`);
    const socket = new WebSocket(target);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error(`the inspector at ${target} refused`));
    });
    return new Inspector(socket);
  }

  send<T>(method: string, params: object = {}): Promise<T> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  heap(): Promise<HeapUsage> {
    return this.send("Runtime.getHeapUsage");
  }

  /** Bytes in use on and beside the heap after everything unreachable is gone. */
  async bytesAtRest(): Promise<number> {
    await this.send("HeapProfiler.enable");
    // One call repeats the collection inside until nothing more is freed.
    await this.send("HeapProfiler.collectGarbage");
    return totalOf(await this.heap());
  }

  /** Profiles while `work` runs. */
  async profile(work: () => Promise<unknown>, intervalMicroseconds = 200): Promise<CpuProfile> {
    await this.send("Profiler.enable");
    await this.send("Profiler.setSamplingInterval", { interval: intervalMicroseconds });
    await this.send("Profiler.start");
    await work();
    return (await this.send<{ profile: CpuProfile }>("Profiler.stop")).profile;
  }

  close(): void {
    this.#socket.close();
  }
}

/** Heap and array buffers together. */
export function totalOf({ usedSize, backingStorageSize, embedderHeapUsedSize }: HeapUsage): number {
  return usedSize + (backingStorageSize ?? 0) + (embedderHeapUsedSize ?? 0);
}

/** Where a profile's time went, by function: milliseconds of its own and with what it called, largest first. */
export function hottest(profile: CpuProfile, order: "own" | "whole" = "own") {
  const own = new Map<number, number>();
  profile.samples.forEach((node, index) => {
    own.set(node, (own.get(node) ?? 0) + (profile.timeDeltas[index] as number) / 1000);
  });
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const sums = new Map<string, { own: number; whole: number }>();
  const walk = (id: number, above: readonly string[]): number => {
    const node = byId.get(id) as ProfileNode;
    const { functionName, url, lineNumber } = node.callFrame;
    const name = `${functionName || "(anonymous)"} ${url.split("/").at(-1)}:${lineNumber}`;
    const sum = sums.get(name) ?? { own: 0, whole: 0 };
    sums.set(name, sum);
    const mine = own.get(id) ?? 0;
    const whole = (node.children ?? []).reduce((total, child) => total + walk(child, [...above, name]), mine);
    sum.own += mine;
    // A recursive function's time counts once.
    if (!above.includes(name)) sum.whole += whole;
    return whole;
  };
  const root = profile.nodes[0];
  if (root !== undefined) walk(root.id, []);
  return [...sums].map(([name, sum]) => ({ name, ...sum })).sort((left, right) => right[order] - left[order]);
}
