// Owns one WebSocket to the local stack that takes signed commands. It refuses two commands at a time, so that as many
// clients are compared on both transports.

import type { Reply } from "./http-connection.ts";

/** One socket; its answers are told as HTTP would have. */
export class SocketConnection {
  readonly #socket: WebSocket;
  readonly #opened: Promise<void>;
  #waiting: { readonly resolve: (reply: Reply) => void; readonly reject: (fault: Error) => void } | null =
    null;

  constructor(port: number, path: string) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    this.#socket = socket;
    this.#opened = new Promise((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error(`no socket at ${path}`)));
    });
    socket.addEventListener("close", () => this.#waiting?.reject(new Error("the socket was closed")));
    socket.addEventListener("message", ({ data }) => {
      const body = String(data);
      const waiting = this.#waiting;
      this.#waiting = null;
      waiting?.resolve({ status: body.includes('"problem":') ? 400 : 200, body });
    });
  }

  /** Resolves when it is connected. */
  opened(): Promise<void> {
    return this.#opened;
  }

  send(frame: string): Promise<Reply> {
    if (this.#waiting !== null) throw new Error("one command at a time");
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.send(frame);
    });
  }

  close(): void {
    this.#socket.close();
  }
}

/** A prepared request's body as a frame with a number. */
export function frameOf(id: number, body: string): string {
  return `{"id":${id},${body.slice(1)}`;
}
