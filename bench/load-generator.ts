// Owns the load of a measurement: a process of its own that sends prepared requests over kept-alive connections, as
// fast as answers come or at a given pace. It refuses to make or sign anything itself.

import { HttpConnection, type Reply, requestBytes } from "./http-connection.ts";
import { frameOf, SocketConnection } from "./socket-connection.ts";

/** A request whose body was made and signed beforehand. */
export interface Prepared {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly requests: readonly Prepared[];
  /** Path of a WebSocket that takes the bodies instead; without it each is a request. */
  readonly socketPath?: string;
}

export interface LoadReport {
  readonly seconds: number;
  /** Answers by HTTP status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Journal entry of each request's answer, 0 where there is none. */
  readonly entries: readonly number[];
  readonly latenciesMs: readonly number[];
  /** The body of the first answer that was no success, to say what went wrong. */
  readonly firstRefusal: string | null;
}

const ENTRY = /"entry":([0-9]+)/;

/** Sends every request once, `connections` at a time, and answers when the last answer is in. */
export async function runLoad(order: LoadOrder): Promise<LoadReport> {
  const { requests } = order;
  const clients = await clientsOf(order);
  const statuses: Record<string, number> = {};
  const entries = new Array<number>(requests.length).fill(0);
  const latenciesMs = new Array<number>(requests.length).fill(0);
  let firstRefusal: string | null = null;
  let next = 0;
  const take = (index: number, reply: Reply, sentMs: number): void => {
    latenciesMs[index] = performance.now() - sentMs;
    statuses[reply.status] = (statuses[reply.status] ?? 0) + 1;
    entries[index] = Number(ENTRY.exec(reply.body)?.[1] ?? 0);
    if (reply.status >= 400) firstRefusal ??= reply.body;
  };
  const startedMs = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      while (next < requests.length) {
        const index = next;
        next += 1;
        const sentMs = performance.now();
        take(index, await client.send(index), sentMs);
      }
    }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  for (const client of clients) client.close();
  return { seconds, statuses, entries, latenciesMs, firstRefusal };
}

/** One client: it sends the request of a number and waits for the answer. */
interface Client {
  send(index: number): Promise<Reply>;
  close(): void;
}

/** The clients of a load, connected; what they send is made before the clock starts. */
async function clientsOf({ port, connections, requests, socketPath }: LoadOrder): Promise<Client[]> {
  if (socketPath === undefined) {
    const bytes = requests.map(({ method, path, body }) => requestBytes(method, path, body));
    return Array.from({ length: connections }, () => {
      const connection = new HttpConnection(port);
      return {
        send: (index) => connection.send(bytes[index] as Buffer),
        close: () => connection.close(),
      };
    });
  }
  const frames = requests.map(({ body }, index) => frameOf(index, body));
  const sockets = Array.from({ length: connections }, () => new SocketConnection(port, socketPath));
  await Promise.all(sockets.map((socket) => socket.opened()));
  return sockets.map((socket) => ({
    send: (index) => socket.send(frames[index] as string),
    close: () => socket.close(),
  }));
}

if (process.send !== undefined && process.argv[2] === "load-generator") {
  process.on("message", (order: LoadOrder) => {
    runLoad(order).then(
      (report) => process.send?.(report),
      (fault: Error) => process.send?.({ fault: fault.stack ?? String(fault) }),
    );
  });
}
