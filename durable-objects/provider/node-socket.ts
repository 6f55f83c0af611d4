// Owns the sockets that nodes open to a provider's object: at most one has been admitted, others have a few seconds to say who
// they are. It refuses whoever is silent, floods or sends what is no frame: it closes them with a code.

import { hexOf } from "../../evidence/bytes.ts";
import type { Rejection } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_UNASKED_FRAMES, UNASKED_FRAMES_PER_SECOND } from "../../protocol/limits.ts";
import {
  CLOSE_FLOOD,
  CLOSE_MALFORMED,
  CLOSE_NOT_ADMITTED,
  CLOSE_REPLACED,
  CLOSE_SILENT,
  decodeNodeFrames,
  encodeFrame,
  FrameSender,
  type NodeFrame,
  type ObjectFrame,
  type Parts,
} from "../../protocol/provider-frames.ts";
import type { Hello } from "./node-admission.ts";
import type { Heard } from "./runs.ts";

/** Sockets that have not said who they are: more are not let in. */
const MOST_STRANGERS = 8;
/** Within this a stranger says who it is. Wall milliseconds. */
export const HELLO_WITHIN_MS = 10_000;
/** A node says "ping" more often than this; one that does not is gone, whatever its connection looks like. */
export const SILENT_AFTER_MS = 70_000;

/** What a socket is, kept with it while the object sleeps. */
interface Standing {
  readonly isNode: boolean;
  readonly challenge: Hex;
  readonly sinceMs: number;
  /** The session key that was admitted. */
  readonly key: Hex | null;
}

export interface SocketPorts {
  readonly ctx: DurableObjectState;
  readonly wallMs: () => number;
  readonly refuse: (hello: Hello, challenge: Hex) => Promise<Rejection | null>;
  readonly admitted: (hello: Hello) => void;
  readonly heard: (frame: NodeFrame, parts: Parts, key: Hex) => Heard;
}

/** The node's end of a provider's object. */
export class NodeSocket {
  readonly #ports: SocketPorts;
  #node: WebSocket | null = null;
  #key: Hex | null = null;
  readonly #sender = new FrameSender(
    (message) => {
      try {
        this.#node?.send(message);
      } catch {
        // It closed between two turns; its close event follows.
      }
    },
    (work) => queueMicrotask(work),
  );
  /** Frames that nobody waited for: what is left of them, and when that was. */
  #unasked = { left: MAX_UNASKED_FRAMES, atMs: 0 };

  constructor(ports: SocketPorts) {
    this.#ports = ports;
    for (const socket of ports.ctx.getWebSockets("node")) {
      const { isNode, key } = standingOf(socket);
      if (isNode) [this.#node, this.#key] = [socket, key];
    }
  }

  get isConnected(): boolean {
    return this.#node !== null;
  }

  /** Lets a stranger in and challenges it; null when there are too many. */
  accept(): WebSocket | null {
    const { ctx, wallMs } = this.#ports;
    this.dropSilent();
    const strangers = ctx.getWebSockets("node").filter((socket) => !standingOf(socket).isNode);
    if (strangers.length >= MOST_STRANGERS) return null;
    const { 0: client, 1: server } = new WebSocketPair();
    const challenge = hexOf(crypto.getRandomValues(new Uint8Array(32)));
    ctx.acceptWebSocket(server, ["node"]);
    server.serializeAttachment({ isNode: false, challenge, sinceMs: wallMs(), key: null } satisfies Standing);
    server.send(encodeFrame({ type: "challenge", challenge }));
    return client;
  }

  /** Sends to the node; false where there is none. */
  send(frame: ObjectFrame, parts: Parts = []): boolean {
    if (this.#node === null) return false;
    this.#sender.send(frame, parts);
    return true;
  }

  /** Takes in a message. */
  async message(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const decoded = decodeNodeFrames(message);
    if ("malformed" in decoded) return this.close(socket, CLOSE_MALFORMED, `malformed: ${decoded.malformed}`);
    for (const { frame, parts } of decoded.frames) {
      if (frame.type === "hello") await this.#hello(socket, frame);
      else if (socket !== this.#node || this.#key === null)
        return this.close(socket, CLOSE_NOT_ADMITTED, "say hello first");
      else if (this.#ports.heard(frame, parts, this.#key) === "unasked") this.#countUnasked(socket);
    }
  }

  /** Closes strangers that say nothing, and a node that no longer does. */
  dropSilent(): void {
    const { ctx, wallMs } = this.#ports;
    for (const socket of ctx.getWebSockets("node")) {
      const { isNode, sinceMs } = standingOf(socket);
      const saidMs = Math.max(sinceMs, ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0);
      const limitMs = isNode ? SILENT_AFTER_MS : HELLO_WITHIN_MS;
      if (wallMs() - saidMs > limitMs) this.close(socket, CLOSE_SILENT, "silent");
    }
  }

  /** Forgets a socket that closed; answers whether it was the node's. */
  closed(socket: WebSocket): boolean {
    if (socket !== this.#node) return false;
    this.#node = null;
    this.#key = null;
    return true;
  }

  close(socket: WebSocket, code: number, reason: string): void {
    try {
      socket.close(code, reason.slice(0, 120));
    } catch {
      // Closed already.
    }
  }

  async #hello(socket: WebSocket, hello: Hello): Promise<void> {
    const { refuse, admitted, wallMs } = this.#ports;
    const { isNode, challenge } = standingOf(socket);
    if (isNode) return this.close(socket, CLOSE_MALFORMED, "said hello twice");
    const rejection = await refuse(hello, challenge);
    if (rejection !== null) return this.close(socket, CLOSE_NOT_ADMITTED, rejection.code);
    const before = this.#node;
    this.#node = socket;
    this.#key = hello.sessionKey;
    this.#unasked = { left: MAX_UNASKED_FRAMES, atMs: wallMs() };
    socket.serializeAttachment({
      isNode: true,
      challenge,
      sinceMs: wallMs(),
      key: hello.sessionKey,
    } satisfies Standing);
    if (before !== null && before !== socket) {
      before.serializeAttachment({ ...standingOf(before), isNode: false });
      this.close(before, CLOSE_REPLACED, "replaced");
    }
    this.send({ type: "welcome" });
    admitted(hello);
  }

  #countUnasked(socket: WebSocket): void {
    const nowMs = this.#ports.wallMs();
    const gained = ((nowMs - this.#unasked.atMs) / 1_000) * UNASKED_FRAMES_PER_SECOND;
    const left = Math.min(MAX_UNASKED_FRAMES, this.#unasked.left + gained) - 1;
    this.#unasked = { left, atMs: nowMs };
    if (left < 0) this.close(socket, CLOSE_FLOOD, "too many frames that nobody asked for");
  }
}

function standingOf(socket: WebSocket): Standing {
  return socket.deserializeAttachment() as Standing;
}
