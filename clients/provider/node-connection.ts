// Owns a node's one connection to its object: made anew with growing pauses when it breaks, said hello on, kept awake. It refuses
// to connect again when another node of the account has taken its place, or the account's key is refused.

import { WebSocket } from "ws";
import {
  CLOSE_NOT_ADMITTED,
  CLOSE_REPLACED,
  decodeObjectFrames,
  encodeFrame,
  FrameSender,
  type NodeFrame,
  type ObjectFrame,
  type Parts,
} from "../../protocol/provider-frames.ts";
import type { NodeKey } from "./node-key.ts";

/** The object takes a node that is silent for longer than some of these as gone. Milliseconds. */
const PING_EVERY_MS = 20_000;
/** No answer to a ping for so long: the connection is dead, whatever the system believes. */
const DEAD_AFTER_MS = 50_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 15_000;
const MAX_PAYLOAD_BYTES = 16_777_216;

export interface ConnectionPorts {
  readonly url: string;
  readonly key: NodeKey;
  readonly room: number;
  /** Obligations that the node holds now. */
  readonly holds: () => readonly number[];
  readonly welcomed: () => void;
  readonly heard: (frame: ObjectFrame, parts: Parts) => void;
  /** It broke and will be made anew. */
  readonly broken: (why: string) => void;
  /** It was closed for good, with the reason. */
  readonly ended: (why: string) => void;
}

/** A node's connection. */
export class NodeConnection {
  readonly #ports: ConnectionPorts;
  #socket: WebSocket | null = null;
  readonly #sender = new FrameSender(
    (message) => {
      if (this.#isWelcome) this.#socket?.send(message);
    },
    (work) => queueMicrotask(work),
  );
  #isWelcome = false;
  #isClosed = false;
  #failures = 0;
  #pings: NodeJS.Timeout | null = null;
  #heardMs = 0;
  #again: NodeJS.Timeout | null = null;

  constructor(ports: ConnectionPorts) {
    this.#ports = ports;
  }

  get isWelcome(): boolean {
    return this.#isWelcome;
  }

  open(): void {
    const { region, account } = this.#ports.key.identity;
    const url = `${this.#ports.url.replace(/^http/, "ws")}/v1/regions/${region}/providers/${account}/socket`;
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: MAX_PAYLOAD_BYTES });
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.on("open", () => this.#keepAwake(socket));
    socket.on("message", (data, isBinary) => this.#take(isBinary ? (data as ArrayBuffer) : textOf(data)));
    // A socket that cannot be made closes, too.
    socket.on("error", () => {});
    socket.on("close", (code, reason) => this.#broken(socket, code, String(reason)));
  }

  /** Sends a frame; nothing where there is no connection: what matters is sent again after the next hello. */
  send(frame: NodeFrame, parts: Parts = []): void {
    if (this.#isWelcome) this.#sender.send(frame, parts);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#again !== null) clearTimeout(this.#again);
    this.#sleep();
    this.#socket?.close(1000, "");
  }

  #take(message: string | ArrayBuffer): void {
    this.#heardMs = Date.now();
    if (message === "pong") return;
    const decoded = decodeObjectFrames(message);
    // No object of ours says that. The next one may.
    if ("malformed" in decoded) {
      this.#socket?.close(1008, "malformed");
      return;
    }
    for (const { frame, parts } of decoded.frames) this.#hear(frame, parts);
  }

  #hear(frame: ObjectFrame, parts: Parts): void {
    if (frame.type === "challenge") {
      const { key, room, holds } = this.#ports;
      this.#socket?.send(encodeFrame(key.hello(frame.challenge, room, holds())));
    } else if (frame.type === "welcome") {
      this.#isWelcome = true;
      this.#failures = 0;
      this.#ports.welcomed();
    } else this.#ports.heard(frame, parts);
  }

  #keepAwake(socket: WebSocket): void {
    this.#heardMs = Date.now();
    this.#pings = setInterval(() => {
      if (Date.now() - this.#heardMs > DEAD_AFTER_MS) socket.terminate();
      else socket.send("ping");
    }, PING_EVERY_MS);
  }

  #sleep(): void {
    if (this.#pings !== null) clearInterval(this.#pings);
    this.#pings = null;
  }

  #broken(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#isWelcome = false;
    this.#sleep();
    if (this.#isClosed) return;
    const why = `${code} ${reason}`.trim();
    if (code === CLOSE_REPLACED || code === CLOSE_NOT_ADMITTED) {
      this.#ports.ended(why);
      return;
    }
    this.#ports.broken(why);
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures) * (0.5 + Math.random());
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#again = setTimeout(() => this.open(), pauseMs);
  }
}

function textOf(data: unknown): string {
  return data instanceof ArrayBuffer ? new TextDecoder().decode(data) : String(data);
}
