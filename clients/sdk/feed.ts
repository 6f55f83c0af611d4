// Owns a listener of a region's feed, for browsers and Node: frames in order, acknowledged, reconnected. It refuses to
// paper over a gap; the caller is told to read the state anew.

/** One journal entry as a frame carries it. */
export interface FeedEntry {
  readonly number: number;
  readonly atS: number;
  readonly events: readonly (Readonly<Record<string, unknown>> & { readonly type: string })[];
}

export interface FeedHandlers {
  readonly entry: (entry: FeedEntry) => void;
  /** Entries may have been missed: read what matters anew. Also called after every connection. */
  readonly resync: (head: number) => void;
  readonly state?: (isConnected: boolean) => void;
}

/** Characters taken in before they are acknowledged: a quarter of what a listener may be behind. */
const ACKNOWLEDGE_EVERY = 64_000;
const LONGEST_PAUSE_MS = 10_000;

/** Listens to a region until the returned function is called. */
export function listen(url: string, region: string, handlers: FeedHandlers): () => void {
  const address = `${url.replace(/^http/, "ws").replace(/\/+$/, "")}/v1/regions/${region}/feed`;
  let socket: WebSocket | null = null;
  let isStopped = false;
  let failures = 0;
  let last = 0;
  const connect = (): void => {
    let unacknowledged = 0;
    const opened = new WebSocket(address);
    socket = opened;
    opened.onmessage = ({ data }) => {
      const text = String(data);
      unacknowledged += text.length;
      if (unacknowledged >= ACKNOWLEDGE_EVERY) {
        opened.send(`ack ${unacknowledged}`);
        unacknowledged = 0;
      }
      last = take(text, last, handlers);
      failures = 0;
    };
    opened.onopen = () => handlers.state?.(true);
    opened.onclose = () => {
      handlers.state?.(false);
      if (isStopped) return;
      const pause = Math.min(LONGEST_PAUSE_MS, 200 * 2 ** failures);
      failures += 1;
      setTimeout(() => isStopped || connect(), pause);
    };
  };
  connect();
  return () => {
    isStopped = true;
    socket?.close();
  };
}

/** Handles one message; returns the last entry seen. */
function take(text: string, last: number, handlers: FeedHandlers): number {
  const message = JSON.parse(text) as {
    type: string;
    entry?: number;
    first?: number;
    last?: number;
    entries?: FeedEntry[];
  };
  if (message.type === "hello") {
    handlers.resync(message.entry ?? 0);
    return message.entry ?? 0;
  }
  if (message.type !== "frame" || message.first === undefined || message.last === undefined) return last;
  if (message.first > last + 1) handlers.resync(message.last);
  for (const entry of message.entries ?? []) if (entry.number > last) handlers.entry(entry);
  // A frame that was on its way during the hello is older than it.
  return Math.max(last, message.last);
}
