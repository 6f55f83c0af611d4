// Owns the listeners of the `feed` measurement and the trickle of commands they hear of: one process, so that the time
// of an answer and of a frame are by one clock. It refuses to skip a frame: every gap is counted.

import { HttpConnection, requestBytes } from "./http-connection.ts";
import type { Prepared } from "./load-generator.ts";

export interface FeedOrder {
  readonly port: number;
  readonly path: string;
  readonly listeners: number;
  readonly connections: number;
  readonly perSecond: number;
  readonly requests: readonly Prepared[];
}

export interface FeedReport {
  readonly seconds: number;
  readonly accepted: number;
  readonly refused: number;
  /** Frames that did not begin where the one before ended, over all listeners. */
  readonly gaps: number;
  /** Listeners that were closed, by code. */
  readonly closed: Readonly<Record<string, number>>;
  /** Of each listener: entries that were answered and never came. */
  readonly missing: readonly number[];
  /** Milliseconds from an entry's answer to its frame, per listener; below zero where the frame was first. */
  readonly latenciesMs: readonly number[];
  readonly frames: number;
}

interface Listener {
  last: number;
  gaps: number;
  frames: number;
  readonly arrivals: { readonly first: number; readonly last: number; readonly atMs: number }[];
}

const SPAN = /"first":([0-9]+),"last":([0-9]+)/;
const HELLO = /"entry":([0-9]+)/;
const ENTRY = /"entry":([0-9]+)/;

/** How long listeners may take for the last frame after the last answer. */
const LINGER_MS = 2_000;

function listen(
  url: string,
  closed: Record<string, number>,
): Promise<{ listener: Listener; socket: WebSocket }> {
  const listener: Listener = { last: 0, gaps: 0, frames: 0, arrivals: [] };
  const socket = new WebSocket(url);
  return new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error("a listener could not connect"));
    socket.onclose = ({ code }) => {
      closed[code] = (closed[code] ?? 0) + 1;
    };
    socket.onmessage = ({ data }) => {
      const text = String(data);
      if (listener.frames === 0 && text.startsWith('{"type":"hello"')) {
        listener.last = Number(HELLO.exec(text)?.[1] ?? 0);
        resolve({ listener, socket });
        return;
      }
      takeFrame(listener, text);
      socket.send(`ack ${text.length}`);
    };
  });
}

/** Looks only at a frame's head: reading a hundred copies whole would make the listeners the bottleneck. */
function takeFrame(listener: Listener, text: string): void {
  const span = SPAN.exec(text.slice(0, 100));
  const first = Number(span?.[1]);
  const last = Number(span?.[2]);
  if (first !== listener.last + 1) listener.gaps += 1;
  listener.last = last;
  listener.frames += 1;
  listener.arrivals.push({ first, last, atMs: performance.now() });
}

/** Sends the requests at the pace, on as many connections, and answers when each entry was answered. */
async function trickle(order: FeedOrder, answers: Map<number, number>): Promise<number> {
  const started = performance.now();
  let refused = 0;
  let next = 0;
  const work = async (): Promise<void> => {
    const connection = new HttpConnection(order.port);
    while (next < order.requests.length) {
      const index = next;
      next += 1;
      const { method, path, body } = order.requests[index] as Prepared;
      const wait = started + (index * 1_000) / order.perSecond - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const reply = await connection.send(requestBytes(method, path, body));
      if (reply.status >= 400) refused += 1;
      else answers.set(Number(ENTRY.exec(reply.body)?.[1]), performance.now());
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: order.connections }, work));
  return refused;
}

async function measureFeed(order: FeedOrder): Promise<FeedReport> {
  const closed: Record<string, number> = {};
  const url = `ws://127.0.0.1:${order.port}${order.path}`;
  const opened = await Promise.all(Array.from({ length: order.listeners }, () => listen(url, closed)));
  const answers = new Map<number, number>();
  const started = performance.now();
  const refused = await trickle(order, answers);
  const seconds = (performance.now() - started) / 1_000;
  await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
  const closedDuring = { ...closed };
  for (const { socket } of opened) socket.close();
  const latenciesMs: number[] = [];
  const missing = opened.map(({ listener }) => {
    let heard = 0;
    for (const { first, last, atMs } of listener.arrivals) {
      for (let entry = first; entry <= last; entry += 1) {
        const answeredMs = answers.get(entry);
        if (answeredMs === undefined) continue;
        heard += 1;
        latenciesMs.push(atMs - answeredMs);
      }
    }
    return answers.size - heard;
  });
  const sum = (pick: (listener: Listener) => number) =>
    opened.reduce((total, { listener }) => total + pick(listener), 0);
  return {
    seconds,
    accepted: answers.size,
    refused,
    gaps: sum(({ gaps }) => gaps),
    closed: closedDuring,
    missing,
    latenciesMs: latenciesMs.filter((_, index) => index % 20 === 0),
    frames: sum(({ frames }) => frames),
  };
}

if (process.send !== undefined && process.argv[2] === "feed-listeners") {
  process.on("message", (order: FeedOrder) => {
    measureFeed(order).then(
      (report) => process.send?.(report),
      (fault: Error) => process.send?.({ fault: fault.stack ?? String(fault) }),
    );
  });
}
