// Owns a listener of a region's feed, for browsers and Node: frames in order, acknowledged, reconnected. It refuses to
// paper over a gap; the caller is told to read the state anew.

import { areEvents, isCount, isRecord, recordOf } from "./answer-shape.ts";

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
      const message = messageOf(text);
      // What is no message of a feed is passed over: what it hid is missed by the next frame's numbers.
      if (message === null) return;
      last = take(message, last, handlers);
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

type FeedMessage =
  | { readonly type: "hello"; readonly entry: number }
  | {
      readonly type: "frame";
      readonly first: number;
      readonly last: number;
      readonly entries: readonly FeedEntry[];
    };

/** What a feed says: where the journal stands, or entries `first` to `last` without a hole; null for anything else. */
function messageOf(text: string): FeedMessage | null {
  const message = recordOf(text);
  if (message === null) return null;
  const { type, entry, first, last, entries } = message;
  if (type === "hello" && isCount(entry)) return { type, entry };
  if (type !== "frame" || !isCount(first) || !isCount(last) || !Array.isArray(entries)) return null;
  const isWhole =
    entries.length > 0 &&
    entries.length === last - first + 1 &&
    entries.every((one, index) => isEntry(one, first + index));
  return isWhole ? { type, first, last, entries } : null;
}

function isEntry(value: unknown, number: number): value is FeedEntry {
  return isRecord(value) && value.number === number && isCount(value.atS) && areEvents(value.events);
}

/** Handles one message; returns the last entry seen. */
function take(message: FeedMessage, last: number, handlers: FeedHandlers): number {
  if (message.type === "hello") {
    handlers.resync(message.entry);
    return message.entry;
  }
  if (message.first > last + 1) handlers.resync(message.last);
  for (const entry of message.entries) if (entry.number > last) handlers.entry(entry);
  // A frame that was on its way during the hello is older than it.
  return Math.max(last, message.last);
}
