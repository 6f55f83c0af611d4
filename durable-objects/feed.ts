// Owns the listeners of a region: hibernating WebSockets, one frame at a time to all of them. It refuses listeners past
// its limit, and closes one that stays behind instead of buffering for it.

import { DurableObject } from "cloudflare:workers";
import { MAX_LISTENER_BACKLOG_BYTES, MAX_LISTENERS_PER_FEED } from "../protocol/limits.ts";
import type { Env } from "./environment.ts";

/** Close code of a listener that was too far behind: it connects again and reads the state anew. */
export const CLOSE_RESYNC = 4000;

/** What a listener may send: how many characters of frames it has taken in since it last said so. */
const ACKNOWLEDGEMENT = /^ack ([0-9]{1,9})$/;

/** One shard of a region's feed; its name is `<region>/<shard>`. */
export class Feed extends DurableObject<Env> {
  /**
   * Characters sent to each socket and not acknowledged. Only in memory: hibernation needs seconds of silence, and
   * after it nobody is behind.
   */
  readonly #outstanding = new Map<WebSocket, number>();
  /** Listeners whose hello is on its way, each with the frames that came since. */
  readonly #arriving = new Set<string[]>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /** How many listeners there are. */
  listeners(): number {
    return this.ctx.getWebSockets().length;
  }

  /** Accepts a listener, or answers 503 when the shard is full; the gateway then tries the next one. */
  override async fetch(request: Request): Promise<Response> {
    if (this.listeners() + this.#arriving.size >= MAX_LISTENERS_PER_FEED)
      return new Response(null, { status: 503 });
    const { region, shard } = placeOf(request.url);
    const missed: string[] = [];
    this.#arriving.add(missed);
    try {
      const head = await this.env.REGION.getByName(region).subscribe(shard);
      const { 0: client, 1: server } = new WebSocketPair();
      this.ctx.acceptWebSocket(server);
      server.send(
        JSON.stringify({ type: "hello", region, ...head, backlogLimit: MAX_LISTENER_BACKLOG_BYTES }),
      );
      for (const frame of missed) this.#send(server, frame);
      return new Response(null, { status: 101, webSocket: client });
    } finally {
      this.#arriving.delete(missed);
    }
  }

  /** Sends a frame to every listener; answers how many there are, so that a region forgets empty feeds. */
  publish(frame: string): number {
    const sockets = this.ctx.getWebSockets();
    for (const socket of sockets) this.#send(socket, frame);
    for (const missed of this.#arriving) missed.push(frame);
    return sockets.length + this.#arriving.size;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const acknowledged = typeof message === "string" ? ACKNOWLEDGEMENT.exec(message) : null;
    if (acknowledged === null) {
      this.#close(socket, 1008, "only acknowledgements are understood here");
      return;
    }
    const left = (this.#outstanding.get(socket) ?? 0) - Number(acknowledged[1]);
    this.#outstanding.set(socket, Math.max(0, left));
  }

  /** Answers the close, without which a browser waits for it before it lets go of the connection. */
  override webSocketClose(socket: WebSocket): void {
    this.#close(socket, 1000, "");
  }

  override webSocketError(socket: WebSocket): void {
    this.#outstanding.delete(socket);
  }

  #send(socket: WebSocket, frame: string): void {
    const outstanding = (this.#outstanding.get(socket) ?? 0) + frame.length;
    if (outstanding > MAX_LISTENER_BACKLOG_BYTES) {
      this.#close(socket, CLOSE_RESYNC, "resync");
      return;
    }
    this.#outstanding.set(socket, outstanding);
    try {
      socket.send(frame);
    } catch {
      // It closed between two turns; its close event follows.
      this.#outstanding.delete(socket);
    }
  }

  #close(socket: WebSocket, code: number, reason: string): void {
    this.#outstanding.delete(socket);
    try {
      socket.close(code, reason);
    } catch {
      // Closed already.
    }
  }
}

/** Region and shard from the path the gateway asks for: `/<region>/<shard>`. */
function placeOf(url: string): { readonly region: string; readonly shard: number } {
  const [, region, shard] = new URL(url).pathname.split("/");
  if (region === undefined || shard === undefined) throw new Error(`not a feed's address: ${url}`);
  return { region, shard: Number(shard) };
}
