// Owns one kept-alive HTTP/1.1 connection to the local stack, as cheap as Node allows: the load must not be what is
// measured. It refuses two requests at a time, and everything a server of ours does not send.

import { connect, type Socket } from "node:net";

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** The bytes of a request, made once and sent as they are. */
export function requestBytes(method: string, path: string, body = "", headers = ""): Buffer {
  const type = body === "" ? "" : "content-type: application/json\r\n";
  const length = Buffer.byteLength(body);
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${type}${headers}content-length: ${length}\r\n\r\n${body}`,
  );
}

const HEAD_END = "\r\n\r\n";
const EMPTY: Buffer = Buffer.alloc(0);

/** One connection; answers come in the order of the requests because there is never more than one. */
export class HttpConnection {
  readonly #socket: Socket;
  #received: Buffer = EMPTY;
  #isClosed = false;
  #waiting: { readonly resolve: (reply: Reply) => void; readonly reject: (fault: Error) => void } | null =
    null;

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (piece) => this.#take(piece));
    this.#socket.on("error", (fault) => this.#fail(fault));
    this.#socket.on("close", () => this.#fail(new Error("the connection was closed")));
  }

  send(request: Buffer): Promise<Reply> {
    if (this.#waiting !== null) throw new Error("one request at a time");
    if (this.#isClosed) throw new Error("the connection was closed");
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #fail(fault: Error): void {
    this.#isClosed = true;
    this.#waiting?.reject(fault);
    this.#waiting = null;
  }

  #take(piece: Buffer): void {
    this.#received = this.#received.length === 0 ? piece : Buffer.concat([this.#received, piece]);
    const reply = parseReply(this.#received);
    if (reply === null) return;
    this.#received = EMPTY;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(reply);
  }
}

/** A complete reply, or null while bytes are missing. */
export function parseReply(bytes: Buffer): Reply | null {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const head = bytes.toString("latin1", 0, headEnd);
  const status = Number(head.slice(9, 12));
  const from = headEnd + HEAD_END.length;
  const length = /\r\ncontent-length: *([0-9]+)/i.exec(head);
  if (length !== null) {
    const until = from + Number(length[1]);
    return bytes.length < until ? null : { status, body: bytes.toString("utf8", from, until) };
  }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const body = parseChunks(bytes, from);
    return body === null ? null : { status, body };
  }
  return { status, body: "" };
}

function parseChunks(bytes: Buffer, from: number): string | null {
  const pieces: Buffer[] = [];
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const until = lineEnd + 2 + size;
    if (bytes.length < until + 2) return null;
    if (size === 0) return Buffer.concat(pieces).toString();
    pieces.push(bytes.subarray(lineEnd + 2, until));
    at = until + 2;
  }
}
